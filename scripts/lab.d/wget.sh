# The parts "wget-RELEASE": the programs that a server may have in the place of
# the usual ones: wget for curl, doas for sudo, and busybox for a second shell.
# shellcheck shell=bash

make_wget() {
	# It would not go from a host whose root has no password.
	SUDO_FORCE_REMOVE=yes debian_layer "$1" "$2" wget_settings wget doas busybox sudo-
}

wget_settings() { echo 'permit nopass alice' >"$1/etc/doas.conf"; }
