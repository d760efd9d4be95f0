# The parts "cloud-RELEASE": what an image for clouds has beyond a server: Debian's
# cloud-init (and with it Python) and curl.
# shellcheck shell=bash

make_cloud() { debian_layer "$1" "$2" cloud_settings cloud-init curl; }

# What Ubuntu's images for clouds say, and what a sealed host needs: its data come
# from a folder, and its network and its sources are not cloud-init's to set up.
cloud_settings() {
	rm -rf "$1/etc/netplan"
	cat >"$1/etc/cloud/cloud.cfg.d/99_lab.cfg" <<-'EOF'
		datasource_list: [NoCloud]
		network: {config: disabled}
		apt: {preserve_sources_list: true}
		preserve_hostname: true
		system_info:
		  distro: ubuntu
		  default_user:
		    name: ubuntu
		    lock_passwd: true
		    shell: /bin/bash
	EOF
}
