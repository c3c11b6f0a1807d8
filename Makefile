# Everything is made under build/; the work is done by the scripts in harness/.
SUITES := harness overlay static cocci layers docs kunit-um seeded stock kunit-x86 user iommu conformance media soft-devices kcsan drm-kunit users kselftests clients demo

help:        ; @sed -n 's/^\#\# //p' Makefile
demo:        ; @harness/demo
test:        ; @harness/with python -- harness/test $(SUITES)
check:       ; @harness/with python -- harness/test kunit-um static:sparse
bench:       ; @harness/with python -- harness/bench "$(OPS)"
test-stock:  ; @harness/with python -- harness/test stock
kernel:      ; @harness/kernel ours demo
contract-report: ; @harness/with python build static -- harness/contract-report $(if $(KSRC),"$(KSRC)")
overlay:     ; @harness/with python -- harness/overlay "$(KSRC)"
clean:       ; rm -rf build

## make demo              a camera's frames on a display through our dma-buf; leaves build/demo.png
## make test              every check there is; ends with "N passed, N failed"
## make test SUITES=...   some of them: harness overlay static cocci layers docs kunit-um seeded
##                        stock kunit-x86 user iommu conformance media soft-devices kcsan drm-kunit users kselftests
##                        clients demo
## make check             the quick round: KUnit on user-mode Linux, sparse; no emulator
## make bench             what operations cost on stock and on ours; leaves build/bench/table
## make bench OPS='heap*' the same for some of them
## make test-stock        our tests on the stock subsystem
## make kernel            build the demo's kernel and print its path
## make contract-report   run the Coccinelle rules over all users of dma-buf in the stock tree
## make contract-report KSRC=DIR  the same in another tree
## make overlay KSRC=DIR  replace the subsystem of a Linux 6.12 tree by ours
## make clean             remove build/, which has all that the other targets made

.PHONY: help demo test check bench test-stock kernel contract-report overlay clean
