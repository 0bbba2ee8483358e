//! The exchange of launches, cut off at every change.

use std::sync::Mutex;

use cutover_host::operation::{Call, Fault};

use super::super::sample;
use super::*;
use crate::model::{Deployment, Driver, HostName};
use crate::transport::{Flow, LinkFuture};

/// A host with files alone, whose connection breaks at a change.
#[derive(Debug)]
struct Files {
    host: HostName,
    disk: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Changes that still come through, and whether the one that breaks takes effect.
    breaks: Mutex<Option<(usize, bool)>>,
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a host that only keeps files does nothing else")]
impl Link for Files {
    fn name(&self) -> &HostName {
        &self.host
    }

    fn perform(&self, call: Call) -> LinkFuture<'_, Answer> {
        Box::pin(async move {
            let mut disk = self.disk.lock().expect("sound");
            let missing = || Failure::Fault(Fault::new(FaultKind::NotFound, "nothing there"));
            match call.operation {
                Operation::Read { path, .. } => {
                    disk.get(&path).map(|content| Answer::Content(content.clone().into())).ok_or_else(missing)
                }
                Operation::ListNames { path, .. } => {
                    let within =
                        |file: &String| Some(file.strip_prefix(&path)?.strip_prefix('/')?.to_owned());
                    Ok(Answer::Names(disk.keys().filter_map(within).collect()))
                }
                change => {
                    assert!(call.guard.is_some(), "{change:?} is no question");
                    let mut breaks = self.breaks.lock().expect("sound");
                    let broken = matches!(*breaks, Some((0, _)));
                    let happens = !matches!(*breaks, Some((0, false)));
                    if let Some((left, _)) = breaks.as_mut() {
                        *left = left.saturating_sub(1);
                    }
                    match change {
                        Operation::Write { path, content, mode, .. } if happens => {
                            assert_eq!(mode, Some(0o600), "{path}");
                            disk.insert(path, content.0);
                        }
                        Operation::Remove { path, .. } if happens => drop(disk.remove(&path)),
                        _ if happens => panic!("no such change is expected"),
                        _ => {}
                    }
                    if broken { Err(Failure::Broken("cut".to_owned())) } else { Ok(Answer::Done) }
                }
            }
        })
    }

    fn open(&self, _: Call) -> LinkFuture<'_, Flow> {
        unreachable!("nothing is streamed")
    }
}

/// What is done with a release in its slot.
struct Scene {
    files: Files,
    deployment: Deployment,
    host: HostName,
    release: ReleaseId,
}

impl Scene {
    fn new() -> Self {
        let host = sample::name("web1");
        let files = Files { host: host.clone(), disk: Mutex::default(), breaks: Mutex::default() };
        let deployment = sample::deployment(Driver::Detached);
        Self { files, deployment, host, release: ReleaseId::parse("r1").expect("an identifier") }
    }

    /// One where `d0` has deployed the release.
    async fn deployed() -> Self {
        let scene = Self::new();
        scene.forward("d0").await.expect("nothing breaks");
        assert_eq!(scene.own().await.as_deref(), Some("d0"));
        scene
    }

    fn slot(&self) -> Slot<'_> {
        let facts = sample::facts("deploy", 1000);
        Slot::new(&self.deployment, &self.host, Color::Blue, &facts).expect("a slot")
    }

    async fn with<T>(&self, deployment: &str, act: impl AsyncFnOnce(Renewal<'_>) -> T) -> T {
        let (slot, guard) = (self.slot(), Guard { state: "/state".to_owned(), epoch: 1, turn: None });
        let (link, release) = (&self.files, &self.release);
        act(Renewal { link, guard: &guard, slot: &slot, release, deployment }).await
    }

    /// Writes and takes the words of a deployment.
    async fn forward(&self, deployment: &str) -> Result<(), DriverFailure> {
        self.with(deployment, async |renewal| {
            let environment = format!("BY={deployment}\n").into_bytes();
            for write in renewal.writes(Launch::configured(renewal.slot), environment).await? {
                renewal.change(write).await?;
            }
            renewal.take().await
        })
        .await
    }

    async fn back(&self, deployment: &str) -> Result<(), DriverFailure> {
        self.with(deployment, async |renewal| renewal.put_back().await).await
    }

    /// Who wrote the release's own launch, whose environment has to be there.
    async fn own(&self) -> Option<String> {
        let slot = self.slot();
        let own = Launch::kept(&self.files, &slot, &self.release).await.expect("it can be read")?;
        let written = own.written.clone()?;
        let disk = self.files.disk.lock().expect("sound");
        let environment = disk.get(&slot.env_file(&self.release, &own));
        assert_eq!(environment, Some(&format!("BY={written}\n").into_bytes()));
        Some(written)
    }

    async fn clean(&self, kept: &[&ReleaseId]) -> Vec<String> {
        let kept = kept.iter().map(|release| (*release).clone()).collect();
        let spare = spare_launches(&self.files, &[self.slot()], &kept).await.expect("it answers");
        let mut disk = self.files.disk.lock().expect("sound");
        for operation in spare {
            let Operation::Remove { path, .. } = operation else { panic!("{operation:?} removes nothing") };
            disk.remove(&path);
        }
        disk.keys().map(|path| path.rsplit('/').next().unwrap_or_default().to_owned()).collect()
    }
}

#[tokio::test]
async fn cut_off_anywhere_it_goes_on_or_back() {
    let mut cuts = 0;
    for happens in [false, true] {
        for left in 0.. {
            let cut_off = async || {
                let scene = Scene::deployed().await;
                *scene.files.breaks.lock().expect("sound") = Some((left, happens));
                let cut = scene.forward("d1").await.is_err();
                *scene.files.breaks.lock().expect("sound") = None;
                assert!(scene.own().await.is_some(), "it has a launch of its own at every moment");
                (scene, cut)
            };
            let (on, cut) = cut_off().await;
            on.forward("d1").await.expect("nothing breaks");
            assert_eq!(on.own().await.as_deref(), Some("d1"));
            let (back, _) = cut_off().await;
            for _ in 0..2 {
                back.back("d1").await.expect("nothing breaks");
                assert_eq!(back.own().await.as_deref(), Some("d0"), "{left} {happens}");
            }
            assert_eq!(back.clean(&[&back.release]).await.len(), 2, "{left} {happens}");
            if !cut {
                break;
            }
            cuts += 1;
        }
    }
    // Environment, candidate, former, own; and the candidate goes.
    assert_eq!(cuts, 10);
}

#[tokio::test]
async fn the_way_back_may_be_cut_off_too() {
    for happens in [false, true] {
        for left in 0.. {
            let scene = Scene::deployed().await;
            scene.forward("d1").await.expect("nothing breaks");
            *scene.files.breaks.lock().expect("sound") = Some((left, happens));
            let cut = scene.back("d1").await.is_err();
            *scene.files.breaks.lock().expect("sound") = None;
            assert!(scene.own().await.is_some());
            scene.back("d1").await.expect("nothing breaks");
            assert_eq!(scene.own().await.as_deref(), Some("d0"));
            if !cut {
                break;
            }
        }
    }
}

#[tokio::test]
async fn what_is_new_has_its_own_words_at_once_and_keeps_them() {
    let scene = Scene::new();
    scene.forward("d1").await.expect("nothing breaks");
    scene.back("d1").await.expect("nothing breaks");
    assert_eq!(scene.own().await.as_deref(), Some("d1"));
    assert_eq!(scene.clean(&[&scene.release]).await, ["r1-blue.d1.env", "r1-blue.json"]);
}

#[tokio::test]
async fn a_migration_has_the_words_of_its_deployment() {
    let scene = Scene::deployed().await;
    scene
        .with("d1", async |renewal| {
            let written = async || renewal.words().await.expect("it answers").written;
            assert_eq!(written().await.as_deref(), Some("d0"));
            let writes = renewal.writes(Launch::configured(renewal.slot), Vec::new()).await;
            for write in writes.expect("it answers") {
                renewal.change(write).await.expect("nothing breaks");
            }
            assert_eq!(written().await.as_deref(), Some("d1"));
        })
        .await;
    assert_eq!(scene.own().await.as_deref(), Some("d0"));
}

#[tokio::test]
async fn what_nobody_needs_is_removed_and_nothing_else() {
    let scene = Scene::deployed().await;
    scene.forward("d1").await.expect("nothing breaks");
    {
        let mut disk = scene.files.disk.lock().expect("sound");
        for other in ["notes", "r1-blue", "r1-red.env", "r2-blue.json", "r2-green.d3.env", "r3-blue.json"] {
            disk.insert(format!("{}/{other}", scene.slot().env_directory()), b"{}".to_vec());
        }
    }
    let third = ReleaseId::parse("r3").expect("an identifier");
    let left = scene.clean(&[&scene.release, &third]).await;
    assert_eq!(left, ["notes", "r1-blue", "r1-blue.d1.env", "r1-blue.json", "r1-red.env", "r3-blue.json"]);
    assert_eq!(scene.clean(&[]).await, ["notes", "r1-blue", "r1-red.env"]);
}
