#!/bin/sh
# Fetches a release of dockstrap, verifies it, and hands over to `dockstrap install`:
#
#     curl -fsSL https://RELEASES/latest/download/install.sh | sh -s -- --yes
#
# Everything is inside one pair of braces: a shell reads up to the closing one before it runs
# any of it, so a truncated download runs nothing.
{
set -eu

# Programs come from folders that only root can write, whatever the caller's PATH says.
callers_path=${PATH-} callers_umask=$(umask)
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
umask 077

# Filled in by scripts/release: where releases are, and the OpenPGP certificate that signs them
# (binary, in base64). Empty in a checkout, where the checkout itself is built.
releases=''
certificate=''
fingerprint=''

# What a server may send at most, in KiB, and how long it may take, in seconds: for the list of a
# release and its signature, and for the program.
list_size=64 list_time=120
program_size=65536 program_time=1800
# A latest release that was signed longer ago than this draws a warning, in days.
old_after=180

usage() {
	cat <<-'TEXT'
	usage: install.sh [OPTION…] [ARGUMENT OF dockstrap install…]

	Fetches dockstrap, verifies its signature and its SHA-256, puts it in place, and runs
	`dockstrap install` with all other arguments. From a checkout it builds the checkout.

	  --version VERSION   install exactly this release instead of the latest
	  --allow-older       replace an installed dockstrap by an older release
	  --to FOLDER         where the program goes (/usr/local/bin)
	  --download-only     fetch, verify and put in place, but run nothing
	  --base-url URL      where releases are, also DOCKSTRAP_BASE_URL; URL/latest/download and
	                      URL/download/vVERSION hold the files of a release
	  --help

	Needs curl or wget, and gpgv or sqv (apt needs one of them, too). Becomes root through
	sudo or doas, and passes on the variables of dockstrap (DOCKSTRAP_…, proxies). To see
	first what an install would do:   install.sh --download-only && dockstrap plan
	TEXT
}

say() { printf 'install.sh: %s\n' "$*" >&2; }

die() {
	say "$*"
	exit "${code:-1}"
}

has() { command -v "$1" >/dev/null 2>&1; }

main() {
	code=2 wanted=''
	version='' to=/usr/local/bin download_only='' allow_older='' base=${DOCKSTRAP_BASE_URL:-} wants=''
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
			--allow-older)
				allow_older=1
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
		'' | -*) die "$wants needs a value, not \`$argument\`" ;;
		esac
		case $wants in
		--version) version=${argument#v} ;;
		--to) to=$argument ;;
		--base-url) base=$argument ;;
		esac
		wants=''
	done
	[ -z "$wants" ] || die "$wants needs a value"
	case $to in
	/*) ;;
	*) die "--to needs an absolute folder, not \`$to\`" ;;
	esac
	case $version in
	*[!0-9A-Za-z.+~-]*) die "\`$version\` is not a version" ;;
	esac

	code=4
	[ "$(uname -s)" = Linux ] || die "this host runs $(uname -s); dockstrap is for Ubuntu"
	architecture
	as_root
	[ "$to" = / ] || to=$(physical "${to%/}")
	are_ours "$to" || die "$to or a folder above it can be changed by other users; nothing was changed. Choose another folder: --to FOLDER"
	temporary=$(CDPATH='' cd -P -- "${TMPDIR:-/tmp}" 2>/dev/null && pwd) ||
		die "the temporary folder ${TMPDIR:-/tmp} is missing; nothing was changed. Name another one in TMPDIR"
	are_ours "$temporary" || die "the temporary folder $temporary or a folder above it can be changed by other users; nothing was changed. Name another one in TMPDIR"
	code=1
	folder=$(mktemp -d "$temporary/tmp.XXXXXXXXXX") || die "cannot make a temporary folder in $temporary; nothing was changed"
	trap 'rm -rf -- "$folder"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP

	# A script of a release never builds: the folder above it can be anyone's.
	if [ -z "$base$version$certificate" ] && in_checkout; then
		build
	else
		fetch_release
	fi
	place
	if [ -n "$download_only" ]; then
		say "nothing was run; next: $root${root:+ }$to/dockstrap install"
		return 0
	fi
	hand_over "$@"
}

# physical PATH: the path without links, as far as there are folders on it.
physical() {
	above=$1 rest=''
	while [ ! -d "$above" ]; do
		rest=/${above##*/}$rest above=${above%/*}
		above=${above:-/}
	done
	above=$(CDPATH='' cd -P -- "$above" 2>/dev/null && pwd || printf '%s' "$above")
	printf '%s' "${above%/}$rest"
}

# are_ours PATH: whether only root and this user can put something else in the place of PATH or of
# what they make in it, as in the sticky /tmp. Where PATH is missing, the folders above it count.
are_ours() {
	above=$1
	while [ ! -d "${above:-/}" ]; do above=${above%/*}; done
	while [ -n "$(find "${above:-/}" -prune \( -user 0 -o -user "$(id -u)" \) \
		\( -perm -1000 -o ! -perm -0020 ! -perm -0002 \))" ]; do
		[ -n "$above" ] || return 0
		above=${above%/*}
	done
	return 1
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
	built=$(umask "$callers_umask" && PATH=$callers_path "$checkout/scripts/build") || die "the checkout does not build; nothing was changed"
	cp -- "$built" "$folder/dockstrap"
}

fetch_release() {
	base=${base:-$releases}
	[ -n "$base" ] || die "this copy of install.sh names no releases; take it from a release, or give --base-url URL"
	[ -n "$certificate" ] || die "this copy of install.sh has no certificate to verify a release with; take it from a release"
	if [ -n "$version" ]; then from=${base%/}/download/v$version; else from=${base%/}/latest/download; fi
	# As it may be shown: without a password.
	shown=$(printf '%s' "$from" | sed 's|//[^/]*@|//|')
	case $base in
	*[[:space:][:cntrl:]\"\\]*) die "\`$shown\` is not an address" ;;
	https://*) ;;
	*) die "releases are fetched over https only, not from \`$shown\`" ;;
	esac
	for tool in base64 sha256sum timeout; do
		has "$tool" || die "$tool is missing; nothing was changed. Get it: ${root}${root:+ }apt-get install coreutils"
	done
	client || die "neither curl nor wget is installed (curl of a snap does not work here); nothing was changed. Get one: ${root}${root:+ }apt-get install curl"
	has gpgv || has sqv || die "neither gpgv nor sqv is installed to verify the release with; nothing was changed. Get one: ${root}${root:+ }apt-get install gpgv"

	say "fetching dockstrap ${version:-(the latest)} for $arch"
	for name in SHA256SUMS SHA256SUMS.asc; do
		fetch "$name" "$list_size" "$list_time"
	done
	verify_signature
	# The signed list names the version, so that no other release can be passed off as this one.
	listed=$(LC_ALL=C sed -n "s/^\([0-9a-f]\{64\}\)  \(dockstrap-[0-9A-Za-z.+~-]*-linux-$arch\)\$/\1 \2/p" "$folder/SHA256SUMS")
	wanted=${listed%% *} file=${listed#* }
	code=5
	case $file in
	'') die "the signed list of $shown has no dockstrap for $arch; nothing was changed" ;;
	*' '*) die "the signed list of $shown has more than one dockstrap for $arch; nothing was changed" ;;
	esac
	[ "$file" = "dockstrap-${version:-$(version_of "$file")}-linux-$arch" ] ||
		die "$shown has another release than $version: $file; nothing was changed"
	version=$(version_of "$file")
	is_no_step_back
	code=1
	fetch "$file" "$program_size" "$program_time"
	found=$(sha256sum <"$folder/$file")
	code=5
	[ "${found%% *}" = "$wanted" ] ||
		die "$shown/$file is not the signed one: its SHA-256 is ${found%% *}, not $wanted; nothing was changed"
	code=1
	mv -- "$folder/$file" "$folder/dockstrap"
}

# An old signature never expires, so an old release can be served as the latest one: what is
# installed already must not be newer.
is_no_step_back() {
	[ -z "$allow_older" ] || return 0
	for program in "$to/dockstrap" /usr/local/bin/dockstrap /usr/bin/dockstrap; do
		there=$(timeout 10 "$program" --version </dev/null 2>/dev/null) || continue
		case $there in
		'dockstrap '*) ;;
		*) continue ;;
		esac
		there=${there#dockstrap }
		is_at_least "$version" "$there" ||
			die "the release in $shown is dockstrap $version, which is older than $there in $program; nothing was changed. To install it all the same, pass --allow-older"
	done
}

# is_at_least VERSION OTHER: whether VERSION is OTHER or newer. What cannot be compared is not.
is_at_least() {
	[ "$1" != "$2" ] || return 0
	# In a package's version a tilde comes before everything, as a hyphen does in ours.
	one=$(printf '%s' "$1" | tr - '~') two=$(printf '%s' "$2" | tr - '~')
	if has dpkg; then
		dpkg --compare-versions "$one" ge "$two" 2>/dev/null
	else
		[ "$(printf '%s\n' "$one" "$two" | sort -V | tail -n 1)" = "$one" ]
	fi
}

# version_of FILE: the version in the name of a program.
version_of() {
	version_of=${1#dockstrap-}
	printf '%s' "${version_of%-linux-*}"
}

# Sets $client, the program that fetches. curl of a snap is not in our PATH: it sees another /tmp.
client() {
	for client in curl wget; do
		! has "$client" || return 0
	done
	return 1
}

# fetch NAME SIZE SECONDS: a file of the release, into $folder. What it holds is verified by its
# signature or its hash, whatever the way there; but only the way keeps an older release from being
# passed off as the latest. So no redirect may leave https, and no file of the user's relaxes that.
# The address goes through a pipe, since others can read a command line, and it can hold a password.
fetch() {
	status=0
	# Not every server says beforehand how much it sends, so the kernel sets the limit.
	# shellcheck disable=SC3045  # all shells of Ubuntu know it
	(
		ulimit -c 0
		ulimit -f "$(($2 * 2))" 2>/dev/null || :
		case $client in
		curl) fetch_by_curl "$1" "$(($2 * 1024))" "$3" ;;
		wget) fetch_by_wget "$1" "$3" ;;
		esac
	) || status=$?
	# 63 is what curl says of a file that is too big.
	if [ "$status" = 63 ] || is_full "$1" "$2"; then
		die "$shown/$1 is bigger than $2 KiB, so it does not belong to a release; nothing was changed"
	fi
	case $status in
	0) ;;
	124 | 137) die "$shown/$1 took longer than $3 seconds; nothing was changed. Try again over a faster network" ;;
	*) die "cannot fetch $shown/$1; nothing was changed. Does this release exist, and can this host reach it?" ;;
	esac
	[ "$client" = curl ] || ! grep -i '^ *location: *[a-z]*:' "$folder/words" | grep -qiv ': *https:' ||
		die "$shown/$1 redirects to an address without https; nothing was changed"
}

# fetch_by_curl NAME BYTES SECONDS
fetch_by_curl() {
	printf 'url = "%s"\n' "$from/$1" | timeout --foreground --kill-after=5 "$3" \
		curl --disable --proto '=https' --tlsv1.2 --fail --silent --show-error --location --max-redirs 5 \
		--globoff --max-filesize "$2" --connect-timeout 30 --speed-limit 100 --speed-time 60 --retry 3 \
		--output "$folder/$1" --config -
}

# fetch_by_wget NAME SECONDS
fetch_by_wget() {
	# It knows proxies by their small names only, and follows a redirect to anywhere: that is in the
	# headers, which are indented.
	printf '%s\n' "$from/$1" |
		https_proxy=${https_proxy-${HTTPS_PROXY-}} no_proxy=${no_proxy-${NO_PROXY-}} \
			timeout --foreground --kill-after=5 "$2" \
			wget --no-config --no-verbose --server-response --no-hsts --max-redirect=5 --timeout=30 --tries=3 \
			--output-document="$folder/$1" --input-file=- 2>"$folder/words" || {
		status=$?
		grep -v '^  ' "$folder/words" >&2
		return "$status"
	}
}

# is_full NAME SIZE: whether the file has SIZE KiB or more.
is_full() { [ -e "$folder/$1" ] && [ "$(wc -c <"$folder/$1")" -ge "$(($2 * 1024))" ]; }

# The list must be signed by the pinned certificate: by its fingerprint, not just by exit code.
# gpgv accepts revoked and expired keys, but does not call their signatures GOODSIG. sqv rejects
# both, and accepts what was signed before the key expired.
verify_signature() {
	code=5
	# It would say what sqv takes for sound.
	unset SEQUOIA_CRYPTO_POLICY
	printf '%s' "$certificate" | base64 -d >"$folder/release.gpg" ||
		die "the certificate in this script cannot be read; take the script from a release again"
	if has gpgv; then
		gpgv --status-fd 1 --keyring "$folder/release.gpg" "$folder/SHA256SUMS.asc" "$folder/SHA256SUMS" \
			>"$folder/status" 2>"$folder/words" &&
			grep -q '^\[GNUPG:\] GOODSIG ' "$folder/status" &&
			grep -q "^\[GNUPG:\] VALIDSIG .* $fingerprint\$" "$folder/status"
	else
		sqv_accepts
	fi || {
		sed 's/^/  /' "$folder/words" >&2
		die "$shown/SHA256SUMS is not signed by the key $fingerprint, or by one that is revoked or has expired; nothing was changed"
	}
	[ -n "$version" ] || is_recent ||
		say "warning: the latest release in $shown was signed more than $old_after days ago; make sure that there is no newer one"
	code=1
}

# Whether the list was signed within the last days. gpgv says when that was; sqv only judges.
is_recent() {
	since=$(($(date +%s) - old_after * 86400))
	if has gpgv; then
		signed=$(sed -n "s/^\[GNUPG:\] VALIDSIG [^ ]* [^ ]* \([0-9][0-9]*\) .* $fingerprint\$/\1/p" "$folder/status" |
			sort -n | tail -n 1)
		[ "${signed:-0}" -ge "$since" ]
	else
		sqv_accepts --not-before "$(date -u -d "@$since" +%Y-%m-%d)"
	fi
}

# sqv_accepts [OPTION…]: whether sqv finds a good signature of the pinned certificate.
sqv_accepts() {
	sqv "$@" --keyring "$folder/release.gpg" "$folder/SHA256SUMS.asc" "$folder/SHA256SUMS" \
		>"$folder/status" 2>"$folder/words" && grep -qx "$fingerprint" "$folder/status"
}

# Puts the program in place in one step: what was there stays until the new one is known to run
# from there and to be the signed one. All in one command, since doas can ask for a password each
# time.
place() {
	status=0
	# shellcheck disable=SC2016,SC2086  # the lines are for sh; $root is empty, or one word
	placed=$($root sh -c '
		new="" made="" above=$2
		while [ ! -e "$above" ] && [ ! -L "$above" ]; do
			made=$above above=${above%/*}
			above=${above:-/}
		done
		undo() {
			[ -z "$new" ] || rm -f -- "$new"
			[ -z "$made" ] || find "$made" -depth -type d -empty -delete
		} 2>/dev/null
		trap undo EXIT
		trap "exit 130" INT
		trap "exit 143" TERM HUP
		umask 022
		mkdir -p -- "$2" && new=$(mktemp -- "$2/.dockstrap-new-XXXXXXXXXX") &&
			cat <"$1" >"$new" && chmod 0755 -- "$new" || exit 100
		[ -z "$3" ] || [ "$(sha256sum <"$new")" = "$3  -" ] || exit 102
		said=$("$new" --version) || exit 101
		[ -z "$4" ] || [ "$said" = "dockstrap $4" ] || exit 102
		mv -fT -- "$new" "$2/dockstrap" || exit 100
		printf "%s" "$said"
	' sh "$folder/dockstrap" "$to" "$wanted" "$version") || status=$?
	case $status in
	0) ;;
	100) die "cannot write to $to; nothing was changed. Choose another folder: --to FOLDER" ;;
	101) die "the program does not run from $to; nothing was changed. Is that mounted noexec? Choose another folder: --to FOLDER" ;;
	102)
		code=5
		die "the program is not the signed dockstrap $version; nothing was changed"
		;;
	*) die "cannot write to $to as root${root:+ through $root}; nothing was changed" ;;
	esac
	say "$placed is in $to"
}

# Runs `dockstrap install`. When this script comes through a pipe, questions go to the terminal.
hand_over() {
	umask "$callers_umask"
	set -- "$to/dockstrap" install "$@"
	if [ ! -t 0 ] && [ -t 2 ] && (: </dev/tty) 2>/dev/null; then
		exec </dev/tty
	fi
	case $root in
	doas) through_doas "$@" ;;
	sudo)
		# sudo clears the environment, except for what is named.
		kept=$(settings | paste -s -d , -)
		set -- sudo ${kept:+"--preserve-env=$kept"} "$@"
		;;
	esac
	rm -rf -- "$folder"
	trap - EXIT
	exec "$@"
}

# The names of the variables that dockstrap reads.
settings() {
	env | sed -n 's/^\(DOCKSTRAP_[A-Z_]*\|[A-Za-z]*_proxy\|[A-Z]*_PROXY\|SSL_CERT_FILE\|NO_COLOR\)=.*/\1/p'
}

# doas clears the environment, too, and everyone can read its command line, where a setting can be a
# password. So they go through a file that only this user and root can read, which is removed before
# dockstrap runs.
through_doas() {
	for name in $(settings); do
		# What looks like a variable can be a line in the value of another.
		eval "[ -n \"\${$name+set}\" ]" || continue
		value=''
		eval "value=\$$name"
		printf "export %s='%s'\n" "$name" "$(printf '%s\n' "$value" | sed "s/'/'\\\\''/g")"
	done >"$folder/settings"
	# Not by exec: this shell removes the file where doas refuses.
	trap : INT TERM HUP
	status=0
	# shellcheck disable=SC2016  # for sh
	doas sh -c '. "$1"; rm -rf -- "${1%/*}"; shift; exec "$@"' sh "$folder/settings" "$@" || status=$?
	exit "$status"
}

main "$@"
exit
}
