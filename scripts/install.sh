#!/bin/sh
# Fetches a release of dockstrap, verifies it, and hands over to `dockstrap install`:
#
#     curl -fsSL https://RELEASES/latest/download/install.sh | sh -s -- --yes
#
# Everything stands inside one pair of braces: a shell reads to the closing one before it runs
# any of it, so a download that was cut short runs nothing.
{
set -eu

# Filled in by scripts/release: where releases lie, and the OpenPGP certificate that signs them
# (binary, in base64). Empty in a checkout, where the checkout itself is built.
releases=''
certificate=''
fingerprint=''

usage() {
	cat <<-'TEXT'
	usage: install.sh [OPTION…] [ARGUMENT OF dockstrap install…]

	Fetches dockstrap, verifies its signature and its SHA-256, puts it in place, and runs
	`dockstrap install` with all other arguments. From a checkout it builds the checkout.

	  --version VERSION   this release of dockstrap instead of the latest
	  --to FOLDER         where the program goes (/usr/local/bin)
	  --download-only     fetch, verify and put in place, but run nothing
	  --base-url URL      where releases lie, also DOCKSTRAP_BASE_URL; URL/latest/download and
	                      URL/download/vVERSION hold the files of a release
	  --help

	Needs curl or wget, and gpgv or sqv, of which apt itself needs one; becomes root through
	sudo or doas, and takes variables for dockstrap (DOCKSTRAP_…, proxies) along. See what
	would be done first:   install.sh --download-only && dockstrap plan
	TEXT
}

say() { printf 'install.sh: %s\n' "$*" >&2; }

die() {
	say "$*"
	exit "${code:-1}"
}

has() { command -v "$1" >/dev/null 2>&1; }

main() {
	code=2
	version='' to=/usr/local/bin download_only='' base=${DOCKSTRAP_BASE_URL:-} wants=''
	# Sorts the arguments: ours are taken, all others move to the end, in order.
	count=$#
	while [ "$count" -gt 0 ]; do
		argument=$1
		shift
		count=$((count - 1))
		if [ -z "$wants" ]; then
			case $argument in
			--version | --to | --base-url)
				wants=$argument
				continue
				;;
			--version=* | --to=* | --base-url=*)
				wants=${argument%%=*}
				argument=${argument#*=}
				;;
			--download-only)
				download_only=1
				continue
				;;
			-h | --help) usage && exit 0 ;;
			*)
				set -- "$@" "$argument"
				continue
				;;
			esac
		fi
		case $argument in
		'' | -*) die "$wants wants a value, not \`$argument\`" ;;
		esac
		case $wants in
		--version) version=${argument#v} ;;
		--to) to=$argument ;;
		--base-url) base=$argument ;;
		esac
		wants=''
	done
	[ -z "$wants" ] || die "$wants wants a value"
	case $to in
	/*) ;;
	*) die "--to wants an absolute folder, not \`$to\`" ;;
	esac
	[ "$to" = / ] || to=${to%/}
	case $version in
	*[!0-9A-Za-z.+~-]*) die "\`$version\` is no version" ;;
	esac

	code=4
	[ "$(uname -s)" = Linux ] || die "this host runs $(uname -s); dockstrap is for Ubuntu"
	architecture
	as_root
	code=1
	folder=$(mktemp -d) || die "cannot make a temporary folder in ${TMPDIR:-/tmp}"
	trap 'rm -rf -- "$folder"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP

	# A script of a release never builds: the folder above it may be anyone's.
	if [ -z "$base$version$certificate" ] && in_checkout; then
		build
	else
		fetch_release
	fi
	place
	if [ -n "$download_only" ]; then
		say "nothing was run; go on with: $root${root:+ }$to/dockstrap install"
		return 0
	fi
	hand_over "$@"
}

# The architecture of the userland: a 64-bit kernel may run a 32-bit one.
architecture() {
	if has dpkg; then arch=$(dpkg --print-architecture); else arch=$(uname -m); fi
	case $arch in
	amd64 | x86_64) arch=amd64 ;;
	arm64 | aarch64) arch=arm64 ;;
	*) die "there is no dockstrap for $arch, only for amd64 and arm64; nothing was changed" ;;
	esac
}

# Sets $root: what makes a command run as root; empty where this is root already.
as_root() {
	root=''
	[ "$(id -u)" != 0 ] || return 0
	for root in sudo doas; do
		! has "$root" || return 0
	done
	die "this must run as root, and there is neither sudo nor doas; nothing was changed"
}

# Whether this script is a file of a checkout of dockstrap; then $checkout is its folder.
in_checkout() {
	case $0 in
	*/install.sh | install.sh) ;;
	*) return 1 ;;
	esac
	checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || return 1
	[ -f "$checkout/scripts/build" ] && grep -q '^name = "dockstrap"$' "$checkout/Cargo.toml" 2>/dev/null
}

build() {
	say "building the checkout in $checkout"
	built=$("$checkout/scripts/build") || die "the checkout does not build; nothing was changed"
	cp -- "$built" "$folder/dockstrap"
}

fetch_release() {
	base=${base:-$releases}
	[ -n "$base" ] || die "this copy of install.sh names no releases; take it from a release, or give --base-url URL"
	[ -n "$certificate" ] || die "this copy of install.sh holds no certificate to verify a release with; take it from a release"
	if [ -n "$version" ]; then from=${base%/}/download/v$version; else from=${base%/}/latest/download; fi
	# As it may be shown: without a password.
	shown=$(printf '%s' "$from" | sed 's|//[^/]*@|//|')
	case $base in
	https://*) ;;
	*) die "releases are fetched over https only, not from \`$shown\`" ;;
	esac
	for tool in base64 sha256sum; do
		has "$tool" || die "$tool is missing; nothing was changed. Get it: ${root}${root:+ }apt-get install coreutils"
	done
	client || die "neither curl nor wget is here (a snap of curl does not do); nothing was changed. Get one: ${root}${root:+ }apt-get install curl"
	has gpgv || has sqv || die "neither gpgv nor sqv is here to verify the release with; nothing was changed. Get one: ${root}${root:+ }apt-get install gpgv"

	say "fetching dockstrap ${version:-(the latest)} for $arch"
	for name in SHA256SUMS SHA256SUMS.asc; do
		fetch "$name"
	done
	verify_signature
	# The signed list names the version, so that no other release can be passed off as this one.
	listed=$(sed -n "s/^\([0-9a-f]\{64\}\)  \(dockstrap-[0-9A-Za-z.+~-]*-linux-$arch\)\$/\1 \2/p" "$folder/SHA256SUMS")
	wanted=${listed%% *} file=${listed#* }
	code=5
	[ -n "$file" ] || die "the signed list of $shown has no dockstrap for $arch; nothing was changed"
	[ "$file" = "dockstrap-${version:-$(version_of "$file")}-linux-$arch" ] ||
		die "$shown holds another release than $version: $file; nothing was changed"
	code=1
	fetch "$file"
	found=$(sha256sum <"$folder/$file")
	code=5
	[ "${found%% *}" = "$wanted" ] ||
		die "$shown/$file is not the signed one: its SHA-256 is ${found%% *}, not $wanted; nothing was changed"
	code=1
	mv -- "$folder/$file" "$folder/dockstrap"
}

# version_of FILE: the version in the name of a program.
version_of() {
	version_of=${1#dockstrap-}
	printf '%s' "${version_of%-linux-*}"
}

# Sets $client, the program that fetches. That of a snap sees another /tmp than this script.
client() {
	for client in curl wget; do
		case $(command -v "$client") in
		'' | /snap/*) ;;
		*) return 0 ;;
		esac
	done
	return 1
}

# fetch NAME: a file of the release, into $folder. What it holds is verified by its signature or
# its hash, whatever the way there; but only the way keeps an older release from being passed off
# as the latest. So no redirect may lead off https.
fetch() {
	case $client in
	curl)
		curl --proto '=https' --tlsv1.2 --fail --silent --show-error --location \
			--connect-timeout 30 --speed-limit 100 --speed-time 60 --retry 3 \
			--output "$folder/$1" -- "$from/$1"
		;;
	wget)
		# It knows proxies by their small names only, and follows a redirect to anywhere: that
		# stands in the headers, which are indented.
		https_proxy=${https_proxy-${HTTPS_PROXY-}} no_proxy=${no_proxy-${NO_PROXY-}} \
			wget --no-verbose --server-response --no-hsts --timeout=30 --tries=3 \
			--output-document="$folder/$1" -- "$from/$1" 2>"$folder/words" || {
			grep -v '^  ' "$folder/words" >&2
			false
		}
		;;
	esac || die "cannot fetch $shown/$1; nothing was changed. Is there such a release, and can this host reach it?"
	[ "$client" = curl ] || ! grep -i '^ *location: *[a-z]*:' "$folder/words" | grep -qiv ': *https:' ||
		die "$shown/$1 leads to an address without https; nothing was changed"
}

# The list must be signed by the pinned certificate: by its fingerprint, not just by exit code.
# gpgv takes revoked and expired keys for good ones, but does not call their signatures GOODSIG.
# sqv knows of both, and takes what was signed before the key expired.
verify_signature() {
	code=5
	printf '%s' "$certificate" | base64 -d >"$folder/release.gpg" ||
		die "the certificate in this script cannot be read; take the script from a release again"
	if has gpgv; then
		gpgv --status-fd 1 --keyring "$folder/release.gpg" "$folder/SHA256SUMS.asc" "$folder/SHA256SUMS" \
			>"$folder/status" 2>"$folder/words" &&
			grep -q '^\[GNUPG:\] GOODSIG ' "$folder/status" &&
			grep -q "^\[GNUPG:\] VALIDSIG .* $fingerprint\$" "$folder/status"
	else
		sqv --keyring "$folder/release.gpg" "$folder/SHA256SUMS.asc" "$folder/SHA256SUMS" \
			>"$folder/status" 2>"$folder/words" && grep -qx "$fingerprint" "$folder/status"
	fi || {
		sed 's/^/  /' "$folder/words" >&2
		die "$shown/SHA256SUMS is not signed by the key $fingerprint, or by one that is revoked or has expired; nothing was changed"
	}
	code=1
}

# Puts the program in place in one step: whatever was there stays until the new one is known to run
# from there. All in one command, since doas may want a password for each.
place() {
	status=0
	# shellcheck disable=SC2016,SC2086  # the lines are for sh; $root is empty, or one word
	placed=$($root sh -c '
		new=$2/.dockstrap-new-$$ made="" above=$2
		while [ ! -e "$above" ] && [ ! -L "$above" ]; do
			made=$above above=${above%/*}
			above=${above:-/}
		done
		undo() {
			rm -f -- "$new"
			[ -z "$made" ] || find "$made" -depth -type d -empty -delete
		} 2>/dev/null
		trap undo EXIT
		trap "exit 130" INT
		trap "exit 143" TERM HUP
		umask 022
		mkdir -p -- "$2" && install -m 0755 -- "$1" "$new" || exit 100
		"$new" --version || exit 101
		mv -fT -- "$new" "$2/dockstrap" || exit 100
	' sh "$folder/dockstrap" "$to") || status=$?
	case $status in
	0) ;;
	100) die "cannot write to $to; nothing was changed. Choose another folder: --to FOLDER" ;;
	101) die "the program does not run from $to; nothing was changed. Is that mounted noexec? Choose another folder: --to FOLDER" ;;
	*) die "cannot write to $to as root${root:+ through $root}; nothing was changed" ;;
	esac
	say "$placed is in $to"
}

# Runs `dockstrap install`. When this script came through a pipe, questions go to the terminal.
hand_over() {
	set -- "$to/dockstrap" install "$@"
	if [ ! -t 0 ] && [ -t 2 ] && (: </dev/tty) 2>/dev/null; then
		exec </dev/tty
	fi
	case $root in
	doas) through_doas "$@" ;;
	sudo)
		# sudo clears the environment but for what is named.
		kept=$(settings | paste -s -d , -)
		set -- sudo ${kept:+"--preserve-env=$kept"} "$@"
		;;
	esac
	rm -rf -- "$folder"
	trap - EXIT
	exec "$@"
}

# The names of the variables that dockstrap heeds.
settings() {
	env | sed -n 's/^\(DOCKSTRAP_[A-Z_]*\|[A-Za-z]*_proxy\|[A-Z]*_PROXY\|SSL_CERT_FILE\|NO_COLOR\)=.*/\1/p'
}

# doas clears the environment, too, and on its command line, which everyone can read, a setting may
# be a password. So they go through a file for the eyes of this user and root, gone before
# dockstrap runs.
through_doas() {
	for name in $(settings); do
		# What looks like a variable may be a line in the value of another.
		eval "[ -n \"\${$name+set}\" ]" || continue
		value=''
		eval "value=\$$name"
		printf "export %s='%s'\n" "$name" "$(printf '%s\n' "$value" | sed "s/'/'\\\\''/g")"
	done >"$folder/settings"
	# Not in the place of this shell, which removes the file where doas says no.
	trap : INT TERM HUP
	status=0
	# shellcheck disable=SC2016  # for sh
	doas sh -c '. "$1"; rm -rf -- "${1%/*}"; shift; exec "$@"' sh "$folder/settings" "$@" || status=$?
	exit "$status"
}

main "$@"
exit
}
