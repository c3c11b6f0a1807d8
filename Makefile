# Everything is made under build/; the work is done by the scripts in harness/.
SUITES := harness overlay series static cocci layers docs kunit-um seeded stock kunit-x86 user iommu conformance media soft-devices kcsan drm-kunit users drivers abi kselftests bench clients demo

help:        ; @sed -n 's/^\#\# //p' Makefile
demo:        ; @harness/demo
test:        ; @harness/with python -- harness/test $(SUITES)
check:       ; @harness/with python -- harness/test kunit-um static:sparse
bench:       ; @harness/with python -- harness/bench $(if $(GAUGES),--gauges "$(GAUGES)") "$(OPS)"
bench-doc:   ; @harness/with python -- harness/bench --doc
test-stock:  ; @harness/with python -- harness/test stock
kernel:      ; @harness/kernel ours demo
contract-report: ; @harness/with python build static -- harness/contract-report $(if $(KSRC),"$(KSRC)")
overlay:     ; @harness/with python -- harness/overlay "$(KSRC)"
drivers:     ; @harness/with python build $(patsubst %,cross-%,$(filter-out x86_64,$(or $(ARCH),arm64 s390x arm))) -- \
		harness/drivers --table Documentation/driver-api/dma-buf-drivers.rst $(ARCH)
series:      ; @harness/with python series build -- harness/series "$(KSRC)"
test-arch:   ; @harness/with python -- harness/test-arch $(ARCH)
deb:         ; @harness/deb $(CONFIG)
test-deb:    ; @harness/with python -- harness/test deb:$(CONFIG)
clean:       ; rm -rf build

## make demo              a camera's frames on a display through our dma-buf; leaves build/demo.png
## make test              every check there is; ends with "N passed, N failed"
## make test SUITES=...   some of them: harness overlay series static cocci layers docs kunit-um seeded
##                        stock kunit-x86 user iommu conformance media soft-devices kcsan drm-kunit
##                        users drivers abi kselftests bench clients demo
## make check             the quick round: KUnit on user-mode Linux, sparse; no emulator
## make bench             what operations cost on stock and on ours; leaves build/bench/table
## make bench OPS='heap*' the same for some of them; GAUGES='icount um' for nanoseconds besides
## make bench-doc         write what was measured last into the documentation
## make test-stock        our tests on the stock subsystem
## make kernel            build the demo's kernel and print its path
## make contract-report   run the Coccinelle rules over all users of dma-buf in the stock tree
## make contract-report KSRC=DIR  the same in another tree
## make overlay KSRC=DIR  replace the subsystem of a Linux 6.12 tree by ours
## make series            the same as patches for git am, in build/patches; KSRC=DIR for another tree
## make drivers           compile all users of dma-buf for x86_64, arm64, s390x and arm, and bring the table in
##                        Documentation/driver-api/dma-buf-drivers.rst up to date; ARCH=arm64 for one
## make test-arch         our KUnit suites on other architectures, or with ARCH="arm64 s390x" on these
## make deb               Debian packages of a kernel with our subsystem, in build/deb; CONFIG=local for
##                        one with the drivers of this machine, see harness/deb
## make test-deb          build the package and boot it in QEMU
## make clean             remove build/, which has all that the other targets made

.PHONY: help demo test check bench bench-doc test-stock kernel contract-report overlay drivers series test-arch deb test-deb clean
