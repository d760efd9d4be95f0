"""What ansible-doc shows of the module, which is the program itself, beside this file."""

DOCUMENTATION = r"""
---
module: engine_facts
short_description: Gathers what dockstrap set up on a host, and what was changed since
version_added: "0.1.0"
author:
  - The dockstrap authors
description:
  - Does what C(dockstrap status) does. It changes nothing.
  - The module is the program itself. The host needs no Python; use it with C(gather_facts=false).
requirements:
  - to be root on the host, by C(become=true)
attributes:
  check_mode:
    support: full
    description: It changes nothing anyway.
  diff_mode:
    support: none
    description: There is none.
  facts:
    support: full
    description: All is below RV(ansible_facts.dockstrap).
options: {}
"""

EXAMPLES = r"""
---
- name: Gather what dockstrap set up
  dockstrap.docker.engine_facts:
  become: true

- name: Fail where somebody has changed it
  ansible.builtin.assert:
    that: not ansible_facts.dockstrap.drifted
"""

RETURN = r"""
---
ansible_facts:
  description: The facts.
  type: dict
  returned: always
  contains:
    dockstrap:
      description: What C(dockstrap status --json) tells, and two keys beside it.
      type: dict
      returned: always
      contains:
        version:
          description: The version of dockstrap that gathered this.
          type: str
          returned: always
        drifted:
          description: Whether anything was changed that the next install sets again.
          type: bool
          returned: always
        engine:
          description: The version that is C(installed), the C(newest) that apt knows, and what is C(held).
          type: dict
          returned: always
        installed:
          description: The last install, C(null) where there was none.
          type: dict
          returned: always
        members:
          description: Who may use the engine.
          type: list
          elements: str
          returned: always
        configuration:
          description: The keys of C(daemon.json) that dockstrap has set, with what it set.
          type: dict
          returned: always
        verified:
          description: When the engine was proven last, and by which stages.
          type: dict
          returned: always
        steps:
          description: What was done, step by step, what of it drifted, and what of it was changed and is kept.
          type: list
          elements: dict
          returned: always
"""
