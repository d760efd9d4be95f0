# The maintainer scripts of the packages in Docker's stand-in: they do what
# Docker's own do (group on first configure; units enabled, started on configure,
# restarted on upgrade, stopped on remove, forgotten on purge), in our words.
# shellcheck shell=bash disable=SC2154  # globals of scripts/lab

# deb_scripts DIR PACKAGE
deb_scripts() {
	case $2 in
	docker-ce)
		# shellcheck disable=SC2016  # for the script itself
		deb_unit_scripts "$1" 'docker.service docker.socket' '
	if [ "$1" = configure ] && [ -z "$2" ] && ! getent group docker >/dev/null; then
		groupadd --system docker
	fi
	[ ! -x /etc/init.d/docker ] || update-rc.d docker defaults >/dev/null' '
	update-rc.d docker remove >/dev/null'
		;;
	containerd.io) deb_unit_scripts "$1" containerd.service : : ;;
	esac
}

# deb_unit_scripts DIR UNITS ON-CONFIGURE ON-PURGE
deb_unit_scripts() {
	cat >"$1/postinst" <<-EOF
		#!/bin/sh
		set -e
		case \$1 in
		configure | abort-upgrade | abort-deconfigure | abort-remove)
			$3
			for unit in $2; do
				deb-systemd-helper unmask \$unit >/dev/null || true
				if deb-systemd-helper --quiet was-enabled \$unit; then
					deb-systemd-helper enable \$unit >/dev/null || true
				else
					deb-systemd-helper update-state \$unit >/dev/null || true
				fi
			done
			if [ -d /run/systemd/system ]; then
				systemctl --system daemon-reload >/dev/null || true
				action=start
				[ -z "\$2" ] || action=restart
				deb-systemd-invoke \$action $2 >/dev/null || true
			fi
			;;
		esac
	EOF
	cat >"$1/prerm" <<-EOF
		#!/bin/sh
		set -e
		if [ "\$1" = remove ] && [ -d /run/systemd/system ]; then
			deb-systemd-invoke stop $2 >/dev/null || true
		fi
	EOF
	cat >"$1/postrm" <<-EOF
		#!/bin/sh
		set -e
		if [ "\$1" = remove ] && [ -d /run/systemd/system ]; then
			systemctl --system daemon-reload >/dev/null || true
		fi
		if [ "\$1" = purge ]; then
			$4
			if [ -x /usr/bin/deb-systemd-helper ]; then
				deb-systemd-helper purge $2 >/dev/null || true
				deb-systemd-helper unmask $2 >/dev/null || true
			fi
		fi
	EOF
	chmod 0755 "$1/postinst" "$1/prerm" "$1/postrm"
}
