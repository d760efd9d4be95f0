# What the scripts share: words to the user, packages and the Rust toolchain.
# shellcheck shell=bash

# The name of the script at work, for its messages.
me=${0##*/}

say() { printf '%s: %s\n' "$me" "$*" >&2; }

die() {
	say "$*"
	exit 1
}

# need COMMAND=PACKAGE…: install the packages whose commands (or files) are missing.
need() {
	local pair missing=()
	for pair; do
		[[ -e ${pair%%=*} ]] || command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
	done
	((${#missing[@]})) || return 0
	((EUID == 0)) || die "these packages are missing: sudo apt-get install ${missing[*]}"
	say "installing ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq -o DPkg::Lock::Timeout=300 update >/dev/null || true
	apt-get -qq -y -o DPkg::Lock::Timeout=300 --no-install-recommends install "${missing[@]}" </dev/null >/dev/null ||
		die "cannot install ${missing[*]}"
}

# need_rust: find cargo, also that of the user behind sudo, or install it. Sets $builder, the words
# before a command of its owner's, and $cargo_home.
need_rust() {
	need cc=gcc /usr/include/stdio.h=libc6-dev
	builder=()
	cargo_home=${CARGO_HOME:-$HOME/.cargo}
	if command -v cargo >/dev/null && cargo --version >/dev/null 2>&1; then
		return
	fi
	local home
	home=$(getent passwd "${SUDO_USER:-root}" | cut -d: -f6)
	if [[ -x $home/.cargo/bin/cargo ]]; then
		PATH=$home/.cargo/bin:$PATH
		cargo_home=$home/.cargo
		# Built as its owner, so that no file of root's is left in the checkout.
		[[ -z ${SUDO_USER:-} ]] || builder=(sudo -u "$SUDO_USER" -H env "PATH=$PATH")
		return
	fi
	if ((EUID == 0)) && apt-get -qq update >/dev/null && apt-cache show rustup >/dev/null 2>&1; then
		need rustup=rustup
		rustup default stable >/dev/null || die "rustup cannot fetch Rust; see what it says above"
		return
	fi
	die "Rust is missing: curl --proto '=https' -sSf https://sh.rustup.rs | sh -s -- -y"
}

# cargo, as the one who owns the toolchain. By env, since sudo drops variables.
run_cargo() { "${builder[@]}" env ${SOURCE_DATE_EPOCH:+"SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH"} cargo "$@"; }

# need_cargo_tool NAME VERSION [OPTION…]: a command of cargo's, in the version that is known to work.
need_cargo_tool() {
	need_rust
	run_cargo install --list | grep -q "^$1 v$2:" || {
		say "installing $1 $2"
		run_cargo install --quiet --locked "$1@$2" "${@:3}" || die "cannot install $1 $2"
	}
}

# need_release_tools: what scripts/release makes a release with, beside the package.
need_release_tools() {
	need gpg=gnupg apt-ftparchive=apt-utils
	need_cargo_tool cargo-cyclonedx 0.5.9
}

# target_of ARCHITECTURE: the triple that a package for this architecture is built for.
target_of() {
	case $1 in
	amd64) echo x86_64-unknown-linux-musl ;;
	arm64) echo aarch64-unknown-linux-musl ;;
	*) die "dockstrap is packaged for amd64 and arm64, not for $1" ;;
	esac
}

# The version of dockstrap, from the one place where it stands.
project_version() { sed -n '/^\[package\]/,/^\[/ s/^version = "\(.*\)"/\1/p' Cargo.toml; }

# The time that everything built is dated with, so that two builds are alike: that of the commit.
source_date() { echo "${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"; }
