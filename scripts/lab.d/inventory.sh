# Hosts as Ansible sees them: over SSH, as alice, who has sudo.
# shellcheck shell=bash disable=SC2154  # globals of scripts/lab

# host_inventory NAME…: let alice in by a key, and print an inventory in YAML.
# The way to a host's sshd leads into its namespace, by a program that is static.
host_inventory() {
	local name busybox key=$cache/ssh/key
	(($#)) || die 'usage: inventory NAME…'
	need ssh=openssh-client
	inventory_key "$key" >&2
	for name; do
		host_check "$name"
		# shellcheck disable=SC2016  # for the host's shell
		host_enter "$name" bash -euc 'home=~alice
			install -d -o alice -g alice -m 0700 $home/.ssh
			install -o alice -g alice -m 0600 /dev/stdin $home/.ssh/authorized_keys
			systemctl start ssh' <"$key.pub"
		busybox=$(host_path "$name" tools)/usr/bin/busybox
	done
	cat <<-EOF
		all:
		  vars:
		    ansible_user: alice
		    ansible_ssh_private_key_file: $key
		    ansible_ssh_common_args: -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ProxyCommand="nsenter --net=/run/netns/lab-%h $busybox nc 127.0.0.1 22"
		    dockstrap_key_fingerprint: "$(keys_fingerprint)"
		  hosts:
	EOF
	printf '    %s: {}\n' "$@"
}

inventory_key() {
	mkdir -p "${1%/*}"
	(
		flock 8
		[[ -e $1 ]] || ssh-keygen -q -t ed25519 -N '' -C lab -f "$1"
	) 8>"${1%/*}/lock"
}
