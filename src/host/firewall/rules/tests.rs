use super::*;

/// As an engine 26.1 makes them, by a host's own and a network `br-0123456789ab`.
const BY_26: &str = "\
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
COMMIT
";

/// As 28.5 makes them.
const BY_28: &str = "\
*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP
-A PREROUTING -d 127.0.0.1/32 ! -i lo -p tcp -m tcp --dport 8080 -j DROP
COMMIT
*filter
:FORWARD ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-BRIDGE - [0:0]
:DOCKER-CT - [0:0]
:DOCKER-FORWARD - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-BRIDGE -o docker0 -j DOCKER
-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-ISOLATION-STAGE-1
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
COMMIT
";

fn removal(rules: &str, before: &[&str]) -> Removal {
    let before: Vec<String> = before.iter().map(ToString::to_string).collect();
    Rules::parse(rules).removal(&["docker0".to_owned()], &before)
}

/// What is left of rules once a script has been obeyed, as the kernel would.
fn obey(rules: &str, script: &str) -> String {
    let mut left: Vec<(String, String)> = Vec::new();
    let mut table = String::new();
    for line in rules.lines() {
        match line.strip_prefix('*') {
            Some(name) => table = name.to_owned(),
            None => left.push((table.clone(), line.to_owned())),
        }
    }
    for line in script.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let at = |line: &str| (table.clone(), line.to_owned());
        match words[0] {
            "-D" => {
                let rule = at(&line.replacen("-D", "-A", 1));
                let place = left.iter().position(|it| *it == rule);
                left.remove(place.expect("a rule to delete"));
            }
            "-F" => {
                let (table, chain) = at(&format!("-A {} ", words[1]));
                left.retain(|it| !(it.0 == table && it.1.starts_with(&chain)));
            }
            "-X" => {
                let in_use = |it: &(String, String)| {
                    it.0 == table
                        && it.1.starts_with("-A ")
                        && it.1.split(' ').any(|word| word == words[1])
                };
                assert!(!left.iter().any(in_use), "{line}: in use");
                let chain = at(&format!(":{} - [0:0]", words[1]));
                left.retain(|it| *it != chain);
            }
            "COMMIT" => {}
            name => table = name.trim_start_matches('*').to_owned(),
        }
    }
    let lines = left
        .iter()
        .filter(|(_, line)| line != "COMMIT")
        .map(|(table, line)| format!("{table} {line}\n"));
    lines.collect()
}

#[test]
fn all_that_an_engine_makes_goes_and_the_policies_stay() {
    for (rules, left) in [
        (
            BY_26,
            "filter :INPUT DROP [0:0]\nfilter :FORWARD DROP [0:0]\nnat :PREROUTING ACCEPT [0:0]\n",
        ),
        (
            BY_28,
            "raw :PREROUTING ACCEPT [0:0]\nfilter :FORWARD ACCEPT [0:0]\n",
        ),
    ] {
        let found = removal(rules, &[]);
        assert_eq!(obey(rules, &found.script), left);
        assert!(found.left.is_empty() && !found.has_users, "{found:?}");
    }
    assert!(Rules::parse(BY_26).is_closed() && !Rules::parse(BY_28).is_closed());
}

#[test]
fn nothing_is_left_to_do_once_it_is_done() {
    let clean = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j ufw-before-forward\nCOMMIT\n";
    assert_eq!(removal(clean, &[]).script, "");
    assert_eq!(removal("", &[]).script, "");
}

#[test]
fn a_rule_of_somebody_that_names_the_bridge_stays_and_is_reported() {
    for rule in [
        "-A INPUT -i docker0 -j ACCEPT",
        "-A FORWARD -i docker0 -j ACCEPT",
        "-A FORWARD -i docker0 -o eth1 -j ACCEPT",
        "-A FORWARD -i eth1 ! -o docker0 -j ACCEPT",
        "-A FORWARD -i docker0 ! -o docker0 -j DROP",
        "-A FORWARD -s 10.0.0.0/8 -i docker0 -o docker0 -j ACCEPT",
        "-A FORWARD -i docker0 -o docker0 -m comment --comment mine -j ACCEPT",
        "-A ufw-user-input -i docker0 -p tcp -m tcp --dport 53 -j ACCEPT",
        "-A OUTPUT -o docker0 -j DROP",
        "-A INPUT -j DOCKER",
    ] {
        let rules = BY_26.replacen("COMMIT", &format!("{rule}\nCOMMIT"), 1);
        let found = removal(&rules, &[]);
        assert_eq!(found.left, [rule]);
        let left = obey(&rules, &found.script);
        assert!(left.contains(&format!("filter {rule}\n")), "{left}");
        assert_eq!(left.matches("-A ").count(), 1, "{left}");
    }
    let rule = "-A POSTROUTING -o docker0 -j MASQUERADE";
    let rules = format!("{BY_28}*nat\n{rule}\nCOMMIT\n");
    assert_eq!(removal(&rules, &[]).left, [format!("-t nat {rule}")]);
}

#[test]
fn rules_of_others_are_neither_touched_nor_reported() {
    let others = "*nat\n-A POSTROUTING -s 10.8.0.0/24 -o eth0 -j MASQUERADE\n\
         -A POSTROUTING -s 10.8.0.2/32 -d 10.8.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE\n\
         COMMIT\n*filter\n:DOCKER-MINE - [0:0]\n-A FORWARD -j DOCKER-MINE\n\
         -A FORWARD -i virbr0 -o virbr0 -j ACCEPT\n-A DOCKER-MINE -j DROP\nCOMMIT\n";
    let found = removal(others, &[]);
    assert!(
        found.script.is_empty() && found.left.is_empty(),
        "{found:?}"
    );
}

#[test]
fn a_rule_that_was_there_before_the_engine_stays() {
    let rule = "-A FORWARD -i docker0 -o docker0 -j ACCEPT";
    let found = removal(BY_26, &[rule]);
    assert!(!found.script.contains("-i docker0 -o docker0"), "{found:?}");
    assert!(found.left.is_empty(), "it is not new");
    let found = Rules::parse(BY_28).of_an_engine(|_| false);
    let loopback =
        "-t raw -A PREROUTING -d 127.0.0.1/32 ! -i lo -p tcp -m tcp --dport 8080 -j DROP";
    assert!(found.iter().any(|it| it == loopback), "{found:?}");
    let chain = removal(BY_26, &["-N DOCKER-USER"]);
    assert!(!chain.script.contains("DOCKER-USER"), "{chain:?}");
}

#[test]
fn rules_that_users_put_into_the_engines_chain_stay_with_what_leads_there() {
    let of_user = "-A DOCKER-USER -i docker0 -s 192.0.2.1/32 -j DROP";
    let rules = BY_28
        .replacen("COMMIT\n*filter", "COMMIT\n*filter\n", 0)
        .replace(
            "-A FORWARD -j DOCKER-FORWARD",
            &format!("{of_user}\n-A FORWARD -j DOCKER-FORWARD"),
        );
    let found = removal(&rules, &[]);
    assert!(found.has_users && found.left.is_empty(), "{found:?}");
    let left = obey(&rules, &found.script);
    for line in [":DOCKER-USER - [0:0]", "-A FORWARD -j DOCKER-USER", of_user] {
        assert!(left.contains(line), "{left}");
    }
    assert_eq!(left.matches("-A ").count(), 2, "{left}");
}

#[test]
fn a_bridge_of_any_name_is_known_by_the_engines_own_chains() {
    let rules = BY_26.replace("docker0", "lan0");
    let found = Rules::parse(&rules).removal(&[], &[]);
    assert!(found.bridges.contains("lan0"));
    assert_eq!(obey(&rules, &found.script).matches("-A ").count(), 0);
    // What a user puts into those chains proves nothing.
    let rules = "*filter\n:DOCKER - [0:0]\n-A FORWARD -i eth0 ! -o eth0 -j ACCEPT\n\
         -A DOCKER -i eth0 -j DROP\nCOMMIT\n";
    let found = Rules::parse(rules).removal(&[], &[]);
    assert!(!found.script.contains("eth0"), "{found:?}");
}

#[test]
fn of_forwarding_are_the_rules_of_others_only() {
    let others = "*nat\n-A POSTROUTING -s 10.8.0.0/24 -o eth0 -j MASQUERADE\nCOMMIT\n\
         *filter\n-A FORWARD -i wg0 -j ACCEPT\n-A INPUT -j ACCEPT\nCOMMIT\n";
    let found = Rules::parse(&format!("{BY_26}{others}")).of_forwarding(|it| it == "docker0");
    assert_eq!(
        found,
        [
            "-t nat -A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j \
             MASQUERADE",
            "-t nat -A POSTROUTING -s 10.8.0.0/24 -o eth0 -j MASQUERADE",
            "-A FORWARD -i wg0 -j ACCEPT"
        ]
    );
}
