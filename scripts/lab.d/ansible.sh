# The part "ansible": Ansible and its linter, for tests that reach hosts over
# SSH, and the oldest Ansible that the collection takes (its meta/runtime.yml).
# Of fixed versions, in folders of their own; nothing of this is in a host.
# shellcheck shell=bash disable=SC2154  # globals of scripts/lab

ansible_needs=(Jinja2==3.1.6 MarkupSafe==3.0.4 PyYAML==6.0.4 cryptography==50.0.2 cffi==2.1.1 pycparser==3.12
	packaging==26.4)
ansible_newest=(ansible-core==2.19.14 resolvelib==1.2.1 ansible-lint==26.10.1 ansible-compat==26.10.0
	jsonschema==4.26.0 yamllint==1.38.0 ruamel.yaml==0.19.1 wcmatch==12.0.1)
ansible_oldest=(ansible-core==2.15.13 resolvelib==1.0.1)

# Programs by name, with the module that python3 -m runs.
ansible_programs=(ansible='ansible adhoc' ansible-config='ansible config' ansible-doc='ansible doc'
	ansible-galaxy='ansible galaxy' ansible-inventory='ansible inventory'
	ansible-playbook='ansible playbook' ansible-lint=ansiblelint)

# ansible_programs_of [oldest]: the folder with them.
ansible_programs_of() {
	[[ ${1:-oldest} == oldest ]] || die "there is only the newest, and the oldest"
	cache_build ansible
	echo "$(part ansible)/${1:-newest}/bin"
}

make_ansible() {
	local python
	python3 -c 'import ensurepip' 2>/dev/null || need ensurepip=python3-venv
	python=$(python3 -c 'import sys; print(sys.executable)')
	python3 -m venv "$1/pip"
	place_ansible "$1" newest "${ansible_newest[@]}"
	place_ansible "$1" oldest "${ansible_oldest[@]}"
	rm -r "$1/pip"
}

# A virtual environment would name the folder that this one is renamed from.
place_ansible() {
	local pip=$1/pip/bin/pip out=$1/$2 program
	shift 2
	"$pip" install --quiet --disable-pip-version-check --no-input --target "$out/site" "${ansible_needs[@]}" "$@"
	rm -r "$out/site/bin"
	mkdir "$out/bin"
	for program in "${ansible_programs[@]}"; do
		cat >"$out/bin/${program%%=*}" <<-EOF
			#!/bin/sh
			site=\$(dirname "\$(readlink -f "\$0")")/../site
			PYTHONPATH=\$site exec $python -m ${program#*=} "\$@"
		EOF
		chmod 0755 "$out/bin/${program%%=*}"
	done
	PATH=$out/bin:$PATH ansible-doc --version
}
