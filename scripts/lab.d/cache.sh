# The cache: parts made once, keyed by the recipe that makes them, replaced when
# the recipe changes. Parts appear whole or not at all: made in tmp/, then renamed.
# shellcheck shell=bash disable=SC2154  # globals of scripts/lab

# The recipe files of a part (in lab.d) and, after "--", the parts it is made from.
part_recipe() {
	case $1 in
	keys) echo keys.sh ;;
	tools) echo tools-root.sh ;;
	ansible) echo ansible.sh ;;
	hub) echo hub.sh -- tools ;;
	root-*) echo root.sh ;;
	archive-*) echo archive.sh -- keys "root-${1#*-}" ;;
	layer-*) echo base.sh -- keys "archive-${1#*-}" ;;
	cloud-*) echo cloud.sh debian.sh -- "layer-${1#*-}" ;;
	wget-*) echo wget.sh debian.sh -- "layer-${1#*-}" ;;
	docker-jammy) echo docker-repo.sh docker-scripts.sh -- keys root-jammy root-noble ;;
	docker-*) echo docker-repo.sh docker-scripts.sh -- keys "root-${1#*-}" ;;
	*) die "no such part: $1" ;;
	esac
}

# The parts a release needs, in an order in which they can be made.
release_parts() {
	[[ $1 != ansible ]] || { echo ansible && return; }
	local roots=("root-$1") more=()
	[[ $1 != jammy ]] || roots+=(root-noble) more=(wget-jammy)
	[[ $1 != noble ]] || more=(cloud-noble)
	echo keys tools "${roots[@]}" hub "archive-$1" "docker-$1" "layer-$1" "${more[@]}"
}

declare -A part_keys=()

# Sets part_keys[PART]: a hash of its recipe files and of the keys of its inputs.
part_key() {
	local word deps='' text='' inputs=0
	[[ -z ${part_keys[$1]:-} ]] || return 0
	for word in $(part_recipe "$1"); do
		if [[ $word == -- ]]; then
			inputs=1
		elif ((inputs)); then
			part_key "$word"
			deps+=" ${part_keys[$word]}"
		else
			text+=$(<"$here/$word")
		fi
	done
	part_keys[$1]=$(printf '%s\n%s\n' "$text" "$deps" | sha256sum | cut -c 1-12)
}

# Where a part is, or will be.
part() {
	part_key "$1"
	echo "$cache/parts/$1-${part_keys[$1]}"
}

part_make() {
	local name=$1 dir tmp began=$SECONDS
	dir=$(part "$name")
	tmp=$cache/tmp/$name
	mkdir -p "$tmp"
	"make_${name%%-*}" "$tmp" "${name#*-}"
	mv -T "$tmp" "$dir"
	say "built $name in $((SECONDS - began)) s"
}

# cache_build [RELEASE|ansible…]: make what is missing, two parts at a time.
cache_build() {
	local release name round wanted=()
	(($#)) || set -- "${releases[@]}" ansible
	for release; do
		[[ $release == ansible ]] || check_release "$release"
		for name in $(release_parts "$release"); do
			[[ " ${wanted[*]} " == *" $name "* || -d $(part "$name") ]] || wanted+=("$name")
		done
	done
	((${#wanted[@]})) || return 0
	need_to_build
	mkdir -p "$cache"/{parts,tmp,log}
	chmod 0755 "$cache"
	exec 9>"$cache/lock"
	flock -n 9 || { say "waiting for another build"; flock 9; }
	trap build_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	build_sweep
	# Rounds: each needs only what the rounds before it made.
	for round in 'root-*|keys|tools|ansible' 'archive-*|docker-*|hub' 'layer-*' 'cloud-*|wget-*'; do
		build_round "$round" "${wanted[@]}"
	done
	ln -sfn "$(part keys)" "$cache/keys"
	build_prune
	trap - EXIT INT TERM HUP
	build_end
	exec 9>&-
}

build_round() {
	local patterns=$1 name running=0 failed=0
	shift
	for name; do
		matches "$name" "$patterns" || continue
		[[ ! -d $(part "$name") ]] || continue # another build made it meanwhile
		if ((running == 2)); then
			wait -n || failed=1
			((running--)) || true
		fi
		((failed == 0)) || break
		# In a mount namespace: whatever it mounts goes when it goes.
		unshare --mount --propagation private "$here/../lab" build-part "$name" 9>&- &
		((++running))
	done
	while ((running-- > 0)); do
		wait -n || failed=1
	done
	((failed == 0)) || die "build failed; see $cache/log"
}

# cache_part NAME: one part, in a process of its own inside the build's cgroup.
cache_part() {
	local log=$cache/log/$1.log
	echo "$BASHPID" >"$(cgroup_top)/$(build_group)/cgroup.procs"
	exec 8>&2 </dev/null >"$log" 2>&1
	# By a trap, for an "if" or "||" around part_make would switch errexit off in it.
	# shellcheck disable=SC2064  # now is when $1 and $log are known
	trap "tail -n 20 '$log' >&8; echo 'lab: cannot build $1; see $log' >&8" EXIT
	part_make "$1"
	trap - EXIT
	tail -n 1 "$log" >&8
}

matches() {
	local pattern patterns
	IFS='|' read -ra patterns <<<"$2"
	for pattern in "${patterns[@]}"; do
		# shellcheck disable=SC2053  # a pattern is meant
		[[ $1 != $pattern ]] || return 0
	done
	return 1
}

# One build at a time for each cache, so one cgroup for each.
build_group() { echo "build${cache//\//-}"; }

# Before a build and after it, also after one that was killed: end what is left
# of its processes (and with them their mounts), drop unfinished parts.
build_sweep() {
	cgroup_end "$(build_group)"
	rm -rf --one-file-system "$cache/tmp"
	mkdir -p "$cache/tmp"
	cgroup_make "$(cgroup_top)/$(build_group)"
}

build_end() {
	trap '' INT TERM HUP
	build_sweep
	cgroup_end "$(build_group)"
	cgroup_tidy
}

# Remove parts of former recipes, unless a host may stand on them. Not those of
# today: two checkouts may be using one cache.
build_prune() {
	local dir name
	[[ -z $(host_names) ]] || return 0
	find "$cache/parts" -mindepth 1 -maxdepth 1 -mtime +0 -print0 | while IFS= read -r -d '' dir; do
		name=${dir##*/}
		name=${name%-*}
		[[ $dir == "$(part "$name")" ]] || rm -rf --one-file-system "$dir"
	done
}

cache_clean() {
	[[ -z $(host_names) ]] || die "hosts are up: $(host_names | xargs)"
	unmount_below "$cache"
	# Its own things by name: the folder may be one the user has other things in.
	rm -rf --one-file-system "$cache"/{parts,hosts,tmp,log,keys,ssh,lock}
	rmdir "$cache" 2>/dev/null || true
}

unmount_below() {
	local target
	findmnt -rno TARGET | awk -v dir="$1/" 'index($0, dir) == 1' | sort -r |
		while IFS= read -r target; do
			umount "$target" || umount -l "$target"
		done
}

check_release() {
	[[ " ${releases[*]} " == *" $1 "* ]] || die "no such release: $1 (there is ${releases[*]})"
}
