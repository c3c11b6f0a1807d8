# What every script of the harness shares; to be sourced by bash.
#
#   step TEXT CMD...   run CMD with its output in a log, one line on the terminal
#   need GROUP...      install the Debian packages of harness/packages that miss
#   pass|fail|skip CASE [REASON]   record a result of the suite that runs

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
ROOT=$PWD
BUILD=$ROOT/build
LOGS=$BUILD/log
# Debian's tools, of which we know the versions, before whatever else is installed.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
export LC_ALL=C DH_START=${DH_START:-$(date +%s)}
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES KSRC SUITES ARCH CONFIG CROSS_COMPILE
JOBS=$(nproc)
mkdir -p "$LOGS"

# Descriptor 7 is the terminal of the outermost script, also inside $(...).
{ : >&7; } 2>/dev/null || exec 7>&1

die() { echo "harness: $*" >&2; exit 1; }

# Seconds since the first script of this run started.
elapsed() { echo $(($(date +%s) - DH_START)); }

# Rewrite the line of the step that runs once a second, for as long as $1 lives.
ticker() {
	local since=$SECONDS

	trap 'exit 0' TERM INT
	while sleep 1 && kill -0 "$1" 2>/dev/null; do
		printf '\r[%4ds] %s ... %ds ' "$(elapsed)" "$2" $((SECONDS - since)) >&7
	done
}

step() {
	local text=$1 began=$SECONDS log tick='' rc
	shift
	log=$(tr -cs 'a-zA-Z0-9_.\n' - <<<"${text:0:100}")
	log=$LOGS/${log%-}.log
	printf '[%4ds] %s ... ' "$(elapsed)" "$text" >&7
	if [ -t 7 ]; then
		ticker $$ "$text" & tick=$!
	fi
	"$@" >"$log" 2>&1 </dev/null 7>&-
	rc=$?
	if [ -n "$tick" ]; then
		kill "$tick" 2>/dev/null
		wait "$tick" 2>/dev/null
		printf '\r[%4ds] %s ... ' "$(elapsed)" "$text" >&7
	fi
	if [ $rc = 0 ]; then
		echo "ok ($((SECONDS - began))s)" >&7
	else
		echo "FAILED ($((SECONDS - began))s)" >&7
		echo "        log: $log" >&7
		# Without the names of what was built well.
		grep -vE '^  [A-Z]+ +(\[M\] +)?[^ ]+$' "$log" | tail -n 25 | sed 's/^/        | /' >&7
	fi
	return $rc
}

apt_install() {
	local apt="env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300" tries=0

	# Only apt waits for others that install something.
	until $SUDO dpkg --configure -a; do
		[ $((++tries)) -lt 60 ] || return
		sleep 5
	done
	$SUDO $apt update &&
	$SUDO $apt install -y --no-install-recommends "$@"
}

need() {
	local group pkg want missing=

	for group; do
		want=$(sed -n "s/^$group: //p" harness/packages)
		[ -n "$want" ] || die "no package group $group"
		for pkg in $want; do
			# With triggers-awaited, only others have something left to do.
			case $(dpkg-query -Wf '${db:Status-Status}' "$pkg" 2>/dev/null) in
				installed | triggers-*) ;;
				*) missing="$missing $pkg" ;;
			esac
		done
	done
	[ -n "$missing" ] || return 0

	SUDO=
	if [ "$(id -u)" != 0 ]; then
		SUDO=sudo
		command -v sudo >/dev/null && sudo -v ||
			die "these packages are missing, and there is neither root nor sudo to install them:$missing"
	fi
	step "install$missing" apt_install $missing || exit 1
}

# A suite's results: one line a case, "pass|fail|skip<TAB>case<TAB>reason".
record() {
	local kind=$1 name=$2
	shift 2
	printf '%s\t%s\t%s\n' "$kind" "$name" "$*" >>"${RESULTS:-/dev/null}"
}
pass() { record pass "$@"; }
skip() { record skip "$@"; }
fail() { record fail "$@"; echo "        FAIL $1: ${*:2}" >&7; }

# check CASE CMD...: a step whose success is a case of the suite.
check() {
	local name=$1
	shift
	if step "$name" "$@"; then
		pass "$name"
	else
		record fail "$name" "see the log"
		return 1
	fi
}

# arch_says CONFIG KEY: what a configuration arch-* says in its line "#: KEY".
arch_says() { sed -n "s/^#: $2 //p" "harness/configs/$1"; }

# kmake TREE CONFIG ARGS...: make in the build directory of a kernel. The directory lies directly
# in the source tree: kbuild then names sources relative to it, and trees share the cache of cc.
kmake() {
	local tree=$1 config=$2 arch=ARCH=x86_64 cc="CC=$ROOT/harness/cc" cross

	shift 2
	case $config in
	um | um-bench) arch=ARCH=um ;;
	static-clang) cc=LLVM=1 ;;
	static-i386) arch=ARCH=i386 cc=LLVM=1 ;;
	arch-*) arch=$(arch_says "$config" kbuild) ;;
	esac
	cross=${arch#*CROSS_COMPILE=}
	(
		[ "$cross" = "$arch" ] || export CCACHE_COMPILER=${cross}gcc
		make -C "$BUILD/$tree/src" O="o-$config" $arch "$cc" "$@"
	)
}

# uapi_headers TREE CONFIG: install the user-space headers of a configured tree; sets HEADERS.
uapi_headers() {
	local usr=$BUILD/$1/src/o-$2/usr key

	HEADERS=$usr/include
	key=$(harness/tree "$1") || return
	[ "$(cat "$usr/stamp" 2>/dev/null)" != "$key" ] || return 0
	rm -f "$usr/stamp"
	step "install the headers of $1" kmake "$1" "$2" headers_install &&
	echo "$key" >"$usr/stamp.new" && mv "$usr/stamp.new" "$usr/stamp"
}

# take CMD...: the command prints lines of a results file; record them.
take() {
	local kind name why

	while IFS=$'\t' read -r kind name why; do
		"$kind" "$name" "$why"
	done < <("$@" || printf 'fail\t%s\t%s\n' "${1##*/}" "the script failed")
}

# ours_kernel CONFIG: build ours, prove that it is ours; sets IMAGE.
ours_kernel() {
	if ! IMAGE=$(harness/kernel ours "$1"); then
		fail "build the $1 kernel" "see the log"
		return 1
	fi
	take harness/overlay-check kernel "${1%%-*}"
}

# guest TEXT LOG SECONDS COMMAND-LINE [QEMU ARGS...]: boot IMAGE as a step.
guest() {
	local text=$1
	shift
	step "$text" boot_with_tail "$@"
}
boot_with_tail() {
	local log=$1 rc

	harness/boot "$IMAGE" "$@"
	rc=$?
	[ $rc = 0 ] || { echo "console: $log"; tail -n 25 "$log"; }
	return $rc
}

# judge LOG ARGS...: record what harness/console reads in a log; say where the log is if not all is well.
judge() {
	local log=$1 before
	shift
	before=$(grep -c ^fail "$RESULTS")
	take harness/console "$log" "$@"
	[ "$(grep -c ^fail "$RESULTS")" = "$before" ] || echo "        console: $log" >&7
}

# The names of our KUnit suites: one per file.
kunit_suites() {
	local file
	for file in drivers/dma-buf/selftests/*_kunit.c; do basename "$file" _kunit.c; done
}

# make_initramfs OUT [TEST...]: harness/init and the tests, with busybox.
make_initramfs() {
	local out=$1 dir=$1.d

	shift
	rm -rf "$dir" && mkdir -p "$dir"/{bin,tests,proc,sys,dev,tmp} &&
	cp /bin/busybox "$dir/bin/" && cp harness/init "$dir/init" &&
	{ [ $# = 0 ] || cp "$@" "$dir/tests/"; } && harness/cpio "$out" "$dir"
}

# user_tests TREE: compile the user-space tests with the headers of a tree; sets TESTS to those that
# need no machine of their own.
user_tests() {
	local out=$BUILD/$1/user-tests key

	key=$(harness/tree "$1")$(sha256sum harness/lib.sh) || return
	if [ "$(cat "$out.stamp" 2>/dev/null)" != "$key" ]; then
		rm -f "$out.stamp"
		uapi_headers "$1" kasan &&
		step "compile the user-space tests for $1" compile_tests "$1" "$out" || return
		echo "$key" >"$out.stamp.new" && mv "$out.stamp.new" "$out.stamp"
	fi
	TESTS=("$out"/dma_* "$out"/[^d]*)
	[ -x "${TESTS[0]}" ]
}
compile_tests() {
	rm -rf "$2" && mkdir -p "$2" &&
	make -C "$BUILD/$1/src/tools/testing/selftests/dma-buf" -j"$JOBS" OUTPUT="$2" ARCH=x86_64 \
		KHDR_INCLUDES="-isystem $HEADERS" USERCFLAGS="-Werror -Wno-clobbered"
}
