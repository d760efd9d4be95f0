//! What apt would do and must not.

use super::*;

#[test]
fn a_plan_that_would_remove_a_package_is_refused() {
    let stub = host();
    stub.write(
        "/simulated",
        "Remv podman [4.9]\n".to_owned() + &simulated("1"),
    );
    let error = offered(&stub).err().unwrap();
    assert_eq!(exit_code(&error), 4);
    assert!(
        error.to_string().ends_with("apt-get remove podman"),
        "{error}"
    );
}

#[test]
fn a_host_that_moved_since_the_plan_is_refused_and_put_back() {
    for moved in [
        simulated("5:29.6.0"),
        "Remv podman [4.9]\n".to_owned() + &simulated("5:29.5.3"),
    ] {
        let stub = host();
        let packages = offered(&stub).unwrap();
        stub.write("/simulated", moved);
        let before = stub.snapshot();
        stub.calls();
        let error = apply(&stub, &packages).unwrap_err();
        assert!(
            error.to_string().contains("changed since the plan"),
            "{error}"
        );
        assert!(!stub.calls().concat().contains("--no-remove"));
        trial::revert(stub.host()).unwrap();
        let mut after = stub.snapshot();
        after.remove("/var/lib/apt/lists/lock");
        assert_eq!(after, before);
    }
}

#[test]
fn a_package_of_the_engine_that_comes_from_elsewhere_is_refused_and_its_origin_named() {
    let stub = host().file("/simulated", simulated("5:99"));
    let error = offered(&stub).err().unwrap();
    assert_eq!(exit_code(&error), 4);
    let text = error.to_string();
    assert!(
        text.contains("docker-ce 5:99 from \"Docker CE:noble\""),
        "{text}"
    );

    // In the very version that Docker's repository has, too.
    let stub = host();
    let printed = std::fs::read_to_string(stub.host().path("/printed")).unwrap();
    let other = "http://me:s3cret@other.example/apt/docker-ce.deb";
    let uri = format!("{URI}/{}", file_of("docker-ce"));
    let stub = stub.file("/printed", printed.replace(&uri, other));
    let error = offered(&stub).err().unwrap();
    assert_eq!(exit_code(&error), 4);
    let text = error.to_string();
    assert!(
        text.contains("from http://other.example/apt/docker-ce.deb"),
        "{text}"
    );
    assert!(text.contains("apt-cache policy docker-ce"), "{text}");
}

#[test]
fn a_lock_that_comes_in_between_is_waited_for_and_the_plan_compared_again() {
    for (moved, goes_on) in [
        (simulated("5:29.5.3"), true),
        (simulated("5:29.6.0"), false),
    ] {
        let stub = host();
        let packages = offered(&stub).unwrap();
        stub.write("/moved", moved);
        stub.calls();
        let outcome = apply(&stub, &packages);
        let tries = stub.calls();
        let tries = tries.iter().filter(|call| call.contains("--no-remove"));
        if goes_on {
            outcome.unwrap();
            assert_eq!(tries.count(), 2);
        } else {
            let error = outcome.unwrap_err().to_string();
            assert!(error.contains("changed since the plan"), "{error}");
            assert_eq!(tries.count(), 1);
        }
    }
}
