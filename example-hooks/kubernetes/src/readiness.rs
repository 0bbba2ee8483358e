//! Whether a colour can get requests. Pure.

use cutover_hooks::{Call, Color, HookError};

/// One at least is ready, and all are, but for as many as hosts of the colour were left out. `what` they are, and `rest` who is not.
///
/// # Errors
/// When it can't; temporary.
pub(crate) fn judge(
    call: &Call,
    color: Color,
    what: &str,
    ready: usize,
    rest: &[String],
) -> Result<(), HookError> {
    let left_out = call.instances.iter().filter(|instance| instance.color == color && instance.is_left_out());
    if ready > 0 && rest.len() <= left_out.count() {
        return Ok(());
    }
    if ready == 0 && rest.is_empty() {
        let text = format!("{color} has no {what} in the cluster");
        return Err(HookError::temporary(text).hint("`kubectl get pods --show-labels` tells which there are"));
    }
    let more = if rest.len() > 3 { " …" } else { "" };
    let told = rest.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ");
    let all = ready + rest.len();
    let text = format!("not ready of {color}, {} of {all} {what}: {told}{more}", rest.len());
    Err(HookError::temporary(text)
        .hint("the cluster goes by its own readiness probes: `kubectl describe pods` tells why"))
}

#[cfg(test)]
mod tests {
    use cutover_hooks::fake;

    use super::*;

    #[test]
    fn all_are_ready_but_for_what_was_left_out() {
        let mut call = fake::call("{}", vec![fake::instance("web1", Color::Green, "10.0.0.11")]);
        let sick: Vec<String> = ["`a`", "`b`", "`c`", "`d`"].map(str::to_owned).into();
        assert_eq!(judge(&call, Color::Green, "pods", 1, &[]), Ok(()));
        let none = HookError::temporary(
            "green has no pods in the cluster\nhint: `kubectl get pods --show-labels` tells which there are",
        );
        assert_eq!(judge(&call, Color::Green, "pods", 0, &[]), Err(none));
        let some = "not ready of green, 4 of 6 pods: `a`, `b`, `c` …\n\
                    hint: the cluster goes by its own readiness probes: `kubectl describe pods` tells why";
        assert_eq!(judge(&call, Color::Green, "pods", 2, &sick), Err(HookError::temporary(some)));
        assert!(judge(&call, Color::Green, "pods", 1, &sick[..1]).is_err());
        call.instances[0].labels.push(("left-out".to_owned(), String::new()));
        assert_eq!(judge(&call, Color::Green, "pods", 1, &sick[..1]), Ok(()));
        assert!(judge(&call, Color::Green, "pods", 0, &sick[..1]).is_err());
        assert!(judge(&call, Color::Blue, "pods", 1, &sick[..1]).is_err(), "another colour's host");
    }
}
