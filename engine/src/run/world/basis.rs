//! The basis of a deployment: kept in its journal, and compared before somebody else's work is taken up.

use cutover_host::manifest::ContentDigest;

use super::observe::all_app_hosts;
use crate::model::{Application, Basis, Deployment, Driver, Hook, HookSource, Reach, SystemdScope};

/// Digits of a digest: enough to tell settings apart.
const DIGITS: usize = "sha256:".len() + 16;

/// What actions depend on beside their plan. All of it can be read by whoever reads the journal: no values of the environment, no
/// settings of hooks but as a digest.
pub(crate) fn basis(deployment: &Deployment) -> Basis {
    let application = &deployment.application;
    let mut settings = vec![
        ("app.directory".to_owned(), application.directory.clone()),
        ("app.driver".to_owned(), driver(&application.driver)),
        ("app.listen".to_owned(), application.listen.clone()),
        ("app.blue.port".to_owned(), application.blue.port.to_string()),
        ("app.green.port".to_owned(), application.green.port.to_string()),
        ("router.hook".to_owned(), deployment.router.hook.source.requested(&deployment.root)),
        ("router.settings".to_owned(), digest(&deployment.router.hook.settings.to_string())),
    ];
    settings.extend(application.user.clone().map(|user| ("app.user".to_owned(), user)));
    let hosts = all_app_hosts(deployment).into_iter().chain(deployment.router.names.iter().cloned());
    for host in hosts.filter_map(|name| deployment.hosts.get(&name)) {
        let (key, reach) = match &host.reach {
            Reach::Local => ("local", "true"),
            Reach::Ssh { destination, .. } => ("ssh", destination.as_str()),
        };
        settings.push((format!("hosts.{}.{key}", host.name), reach.to_owned()));
        settings.push((format!("hosts.{}.address", host.name), host.address.clone()));
    }
    settings.into_iter().collect()
}

/// What decides what a deployment puts on hosts and routers beside the revision, as digests. What only judges a deployment (health check,
/// smoke tests, times) is none of it. `hooks` are the digests of the components, by title: one that comes with the program is as the
/// program is, and a new program is no reason to deploy.
pub(crate) fn settings(deployment: &Deployment, hooks: &[(String, String)]) -> Basis {
    let Application {
        hosts,
        directory,
        linked_dirs,
        linked_files,
        keep_releases: _,
        driver,
        start,
        migrate,
        user,
        stop_timeout,
        listen,
        env,
        env_files,
        blue,
        green,
        release_marker: _,
    } = &deployment.application;
    let (build, router) = (&deployment.build.hook, &deployment.router.hook);
    let component = |hook: &Hook| {
        let own = !matches!(hook.source, HookSource::Builtin(_));
        let found = hooks.iter().find(|(title, _)| own && *title == hook.title);
        format!("{} {:?}", hook.source.requested(&deployment.root), found)
    };
    let values = [
        ("build.hook", component(build)),
        ("build.settings", build.settings.to_string()),
        ("app.hosts", format!("{hosts:?}")),
        ("app.directory", directory.clone()),
        ("app.linked-dirs", format!("{linked_dirs:?}")),
        ("app.linked-files", format!("{linked_files:?}")),
        ("app.driver", format!("{driver:?}")),
        ("app.start", format!("{start:?}")),
        ("app.migrate", format!("{migrate:?}")),
        ("app.user", format!("{user:?}")),
        ("app.stop-timeout", format!("{stop_timeout:?}")),
        ("app.listen", listen.clone()),
        ("app.env", format!("{env:?}")),
        ("app.env-file", format!("{env_files:?}")),
        ("app.blue", format!("{blue:?}")),
        ("app.green", format!("{green:?}")),
        ("router.hosts", format!("{:?}", deployment.router.names)),
        ("router.hook", component(router)),
        ("router.settings", router.settings.to_string()),
    ];
    values.into_iter().map(|(key, value)| (key.to_owned(), digest(&value))).collect()
}

fn driver(driver: &Driver) -> String {
    match driver {
        Driver::Systemd { scope, unit } => {
            let scope = match scope {
                SystemdScope::System => "systemd of the system",
                SystemdScope::User => "systemd of the user",
            };
            // Lines of a unit may carry an environment.
            if unit.is_empty() { scope.to_owned() } else { format!("{scope}, {}", digest(&unit.join("\n"))) }
        }
        Driver::Detached => "detached".to_owned(),
        Driver::Command { start, stop, status } => {
            format!("command, {}", digest(&format!("{start:?}{stop:?}{status:?}")))
        }
    }
}

fn digest(text: &str) -> String {
    let mut digest = ContentDigest::of(text.as_bytes()).to_string();
    digest.truncate(DIGITS);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;

    fn deployment() -> Deployment {
        let name = |text| Name::new(text).expect("a name");
        Deployment::for_tests(&[name("web1"), name("web2")], &[name("lb1")])
    }

    #[test]
    fn what_is_compared_is_told_by_the_help() {
        let help = include_str!("../../cli/deploy.rs").replace(" \\\n", " ");
        let (_, list) = help.split_once("changed since it was deployed: ").expect("the list begins");
        let (list, _) = list.split_once(". ").expect("the list ends");
        let compared: std::collections::BTreeSet<String> = settings(&deployment(), &[])
            .changes(&Basis::default())
            .into_iter()
            .map(|change| change.key)
            .collect();
        assert_eq!(list.split(", ").map(str::to_owned).collect::<std::collections::BTreeSet<_>>(), compared);
    }

    #[test]
    fn what_decides_what_is_put_live_is_noticed() {
        let before = settings(&deployment(), &[]);
        let noticed = |change: &dyn Fn(&mut Deployment)| {
            let mut deployment = deployment();
            change(&mut deployment);
            let changes = before.changes(&settings(&deployment, &[]));
            changes.into_iter().map(|change| change.key).collect::<Vec<_>>().join(" ")
        };
        type Change = dyn Fn(&mut Deployment);
        let table: [(&Change, &str); 5] = [
            (&|deployment| deployment.application.start.push("--new".into()), "app.start"),
            (&|deployment| deployment.application.green.port = 4003, "app.green"),
            (
                &|deployment| {
                    deployment.build.hook.settings = serde_json::json!({ "run": [["make"]] });
                    deployment.application.env_files.clear();
                    deployment.application.env_files.push("shared/other".into());
                },
                "app.env-file build.settings",
            ),
            (&|deployment| deployment.smoke_tests.clear(), ""),
            (&|deployment| deployment.pipeline.watch = std::time::Duration::ZERO, ""),
        ];
        for (change, keys) in table {
            assert_eq!(noticed(change), keys);
        }
        let of_a_program = settings(&deployment(), &[("build".to_owned(), "sha256:1".to_owned())]);
        assert_eq!(before.changes(&of_a_program), []);
    }

    #[test]
    fn what_moves_an_action_elsewhere_is_noticed() {
        let before = basis(&deployment());
        let noticed = |change: &dyn Fn(&mut Deployment)| {
            let mut deployment = deployment();
            change(&mut deployment);
            let changes = before.changes(&basis(&deployment));
            changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        type Change = Box<dyn Fn(&mut Deployment)>;
        let table: Vec<(Change, &str)> = vec![
            (
                Box::new(|deployment| deployment.application.directory = "/srv/other".into()),
                "`app.directory` was `/srv/shop`, is `/srv/other`",
            ),
            (
                Box::new(|deployment| deployment.application.user = Some("shop".into())),
                "`app.user` was nothing, is `shop`",
            ),
            (
                Box::new(|deployment| deployment.application.green.port = 4003),
                "`app.green.port` was `4002`, is `4003`",
            ),
            (
                Box::new(|deployment| {
                    deployment.application.driver =
                        Driver::Systemd { scope: SystemdScope::User, unit: Vec::new() };
                }),
                "`app.driver` was `detached`, is `systemd of the user`",
            ),
            (
                Box::new(|deployment| {
                    for host in deployment.hosts.values_mut().filter(|host| host.name.as_str() == "web2") {
                        host.reach = Reach::Ssh {
                            destination: "deploy@web2".into(),
                            identity_file: None,
                            helper_directory: "~/.cache/cutover".into(),
                        };
                        host.address = "10.0.0.12".into();
                    }
                }),
                "`hosts.web2.address` was `127.0.0.1`, is `10.0.0.12`; `hosts.web2.local` was `true`, is nothing; \
                 `hosts.web2.ssh` was nothing, is `deploy@web2`",
            ),
            (
                Box::new(|deployment| {
                    deployment.router.hook.settings = serde_json::json!({ "token": "hunter2" });
                }),
                "`router.settings` was `sha256:44136fa355b3678a`, is `sha256:8159084998958616`",
            ),
            // A fix of what failed, and where the project lies, change nothing that was begun.
            (Box::new(|deployment| deployment.root = "/elsewhere".into()), ""),
            (Box::new(|deployment| deployment.smoke_tests.clear()), ""),
            (Box::new(|deployment| deployment.health_check.healthy_after = 1), ""),
        ];
        for (change, expected) in table {
            assert_eq!(noticed(&change), expected);
        }
    }
}
