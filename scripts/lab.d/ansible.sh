# The part "ansible": Ansible and its linter, for tests that reach hosts over
# SSH. Of fixed versions, in a folder of their own; nothing of this is in a host.
# shellcheck shell=bash disable=SC2154  # globals of scripts/lab

ansible_packages=(ansible-core==2.19.14 ansible-lint==26.10.1 ansible-compat==26.10.0 Jinja2==3.1.6
	MarkupSafe==3.0.4 PyYAML==6.0.4 cryptography==50.0.2 cffi==2.1.1 pycparser==3.12 packaging==26.4
	resolvelib==1.2.1 jsonschema==4.26.0 yamllint==1.38.0 ruamel.yaml==0.19.1 wcmatch==12.0.1)

# Programs by name, with the module that python3 -m runs.
ansible_programs=(ansible='ansible adhoc' ansible-config='ansible config' ansible-doc='ansible doc'
	ansible-galaxy='ansible galaxy' ansible-inventory='ansible inventory'
	ansible-playbook='ansible playbook' ansible-lint=ansiblelint)

# A virtual environment would name the folder that this one is renamed from.
make_ansible() {
	local out=$1 python program
	python3 -c 'import ensurepip' 2>/dev/null || need ensurepip=python3-venv
	python=$(python3 -c 'import sys; print(sys.executable)')
	python3 -m venv "$out/pip"
	"$out/pip/bin/pip" install --quiet --disable-pip-version-check --no-input --target "$out/site" "${ansible_packages[@]}"
	rm -r "$out/pip" "$out/site/bin"
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
