//! Signals that end a command in order.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::run::Interrupts;

/// Counts Ctrl-C, SIGTERM and SIGHUP from now on. A signal that the parent had ignored for us (`nohup`) stays so only when it can't
/// be listened to.
///
/// # Errors
/// When the system refuses.
pub(super) fn listen() -> std::io::Result<watch::Receiver<Interrupts>> {
    let (sender, receiver) = watch::channel(Interrupts::default());
    let kinds = [
        (SignalKind::interrupt(), "Ctrl-C"),
        (SignalKind::terminate(), "SIGTERM"),
        (SignalKind::hangup(), "SIGHUP"),
    ];
    for (kind, name) in kinds {
        let (mut signals, sender) = (signal(kind)?, sender.clone());
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                sender.send_modify(|interrupts| {
                    interrupts.count += 1;
                    if interrupts.count == 1 {
                        interrupts.first = name;
                    }
                });
            }
        });
    }
    Ok(receiver)
}
