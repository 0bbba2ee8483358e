//! Two machines and a router over SSH: one release everywhere, or nowhere.

use test_support::{Behaviour, assert_golden, get};

use crate::{fleet, with_v1};

#[test]
fn every_host_runs_the_release() {
    let Some(mut test) = fleet() else { return };
    test.set_up();
    let deployed = test.deploy("v1", Behaviour::Sound).expect(0);
    assert_golden("fleet-deployment.txt", &test.normalise(&(deployed.stdout + &deployed.stderr)));
    for address in ["127.0.0.11", "127.0.0.12"] {
        let page = get(address, test.ports().0, "/").unwrap();
        assert!(page.body.starts_with("v1 "), "{address}: {}", page.body);
    }
    let status = test.cutover(&["status"]).expect(0);
    assert_golden("fleet-status.txt", &test.normalise(&status.stdout));
    for machine in ["web1", "web2"] {
        let releases = std::fs::read_dir(test.machine(machine).outside("/srv/shop/releases")).unwrap();
        let names: Vec<_> = releases.flatten().map(|entry| entry.file_name()).collect();
        assert!(!names.iter().any(|name| name.to_string_lossy().starts_with(".partial")), "{names:?}");
    }
    let hostname = test.cutover(&["exec", "--live", "--host", "web2", "--", "hostname"]).expect(0);
    assert_eq!(hostname.stdout, "web2\n");
    let _ = test.cutover(&["check", "--hosts"]).expect(0);
}

#[test]
fn one_sick_instance_stops_all() {
    let Some(test) = with_v1(fleet()) else { return };
    // Whoever sits on the port of one machine's idle colour makes that machine fail alone.
    let squatter = std::net::TcpListener::bind(("127.0.0.12", test.ports().1)).unwrap();
    let failed = test.deploy("v2", Behaviour::Sound);
    assert!([10, 11].contains(&failed.status), "{failed:?}");
    assert!((failed.stdout + &failed.stderr).contains("web2"));
    drop(squatter);
    assert_eq!(test.live(), "v1 blue");
    for address in ["127.0.0.11", "127.0.0.12"] {
        assert!(get(address, test.ports().1, "/up").is_err(), "green runs on {address}");
    }
    let _ = test.deploy("v3", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v3 green");
}
