"""Runs the module with the program for the host's machine, sent to the host once.

The module is a binary, and Ansible would send it with every task. Here the host keeps a copy in the
folder of Ansible's temporary files, and it is used again while it has the hash that is known of it.
Everything else is Ansible's own: this only says where the file comes from.
"""

from __future__ import annotations

import os
import shlex

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

PROGRAMS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "programs")

# A copy is kept only where no other user of the host can put one: not in /tmp or /var/tmp, to which
# Ansible goes where a task becomes a user who is not root.
OWN = "cd %s && [ -O . ] && [ ! -k . ]"


class ActionModule(ActionBase):
    """The action behind the modules engine and engine_facts."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp=None, task_vars=None):
        """Runs the module, and answers what it answers."""
        result = super().run(tmp, task_vars)
        wrap_async = bool(self._task.async_val) and not self._connection.has_native_async
        result.update(self._execute_module(task_vars=task_vars, wrap_async=wrap_async))
        return result

    def _transfer_file(self, local_path, remote_path):
        """Puts the program at its remote path: the copy that the host has, or one from here."""
        if os.path.dirname(os.path.realpath(local_path)) != os.path.realpath(PROGRAMS):
            return super()._transfer_file(local_path, remote_path)  # the file with the arguments
        sums = known_sums()
        own = OWN % shlex.quote(os.path.dirname(os.path.dirname(remote_path)))
        remote = shlex.quote(remote_path)
        cases = " ".join("%s) sum=%s ;;" % pair for pair in sums.items())
        answer = self._low_level_execute_command(
            'machine=$(uname -m); kept=no; case "$machine" in %s *) sum= ;; esac; '
            'if %s && echo "$sum  dockstrap-$sum" | sha256sum --check --status 2>/dev/null && '
            'ln "dockstrap-$sum" %s; then kept=yes; fi; echo "dockstrap $machine $kept"'
            % (cases, own, remote),
            sudoable=False,
        )
        words = [line.split() for line in answer["stdout"].splitlines()]
        words = [line for line in words if len(line) == 3 and line[0] == "dockstrap"]
        if not words:
            raise AnsibleActionFail("the host does not tell its machine: %s" % answer["stderr"])
        _name, machine, kept = words[-1]
        if machine not in sums:
            raise AnsibleActionFail(
                "there is no dockstrap for %s here, only for %s; build the collection with one"
                % (machine, ", ".join(sums))
            )
        is_last_task = self._task.args.get("state") == "absent" and not self._task.check_mode
        if kept == "no":
            super()._transfer_file(os.path.join(PROGRAMS, machine), remote_path)
        if kept == "no" or is_last_task:
            keep = "" if is_last_task else "ln %s dockstrap-%s" % (remote, sums[machine])
            self._low_level_execute_command(
                "%s && rm -f dockstrap-* && %s" % (own, keep or "true"), sudoable=False
            )
        return remote_path


def known_sums():
    """The SHA-256 of the program for each machine, by the names that uname has for them."""
    with open(os.path.join(PROGRAMS, "SHA256SUMS"), encoding="ascii") as lines:
        pairs = (line.split() for line in lines)
        return {machine: digest for digest, machine in pairs}
