//! Which member belongs to which instance, what routing their states amount to, and which states a routing asks for. Pure.

use cutover_hooks::{Call, Color, HookError, Instance, Routing};

use crate::page::{Balancer, Member};

/// An instance and its member.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seat {
    pub(crate) host: String,
    pub(crate) color: Color,
    /// The release is not there: it gets no requests, whatever is asked for its colour.
    pub(crate) left_out: bool,
    pub(crate) member: Member,
}

/// What a seat is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Goal {
    pub(crate) on: bool,
    /// None where any will do: shares don't depend on it.
    pub(crate) factor: Option<f64>,
}

/// What the manager takes as a factor.
const FACTORS: (f64, f64) = (1.0, 100.0);

const HINT: &str = "install what `cutover setup` prints for this host, and reload Apache";

/// A balancer's members with their instances: it has exactly those.
pub(crate) fn seats(call: &Call, router: &str, balancer: &Balancer) -> Result<Vec<Seat>, HookError> {
    let mut seats = Vec::new();
    let mut wanted = Vec::new();
    for instance in &call.instances {
        let url = url(instance, router)?;
        if let Some(member) = balancer.members.iter().find(|member| member.url == url) {
            seats.push(Seat {
                host: instance.host.clone(),
                color: instance.color,
                left_out: instance.is_left_out(),
                member: member.clone(),
            });
        }
        wanted.push(url);
    }
    if seats.len() == wanted.len() && wanted.len() == balancer.members.len() {
        return Ok(seats);
    }
    let found: Vec<&str> = balancer.members.iter().map(|member| member.url.as_str()).collect();
    let text = format!(
        "Apache on `{router}` balances `{}` over {}, cutover.toml says {}",
        balancer.name,
        found.join(" "),
        wanted.join(" ")
    );
    Err(HookError::failed(text).hint(HINT))
}

/// A member's URL as Apache writes it: lower-case, without the port that goes without saying.
pub(crate) fn url(instance: &Instance, router: &str) -> Result<String, HookError> {
    let authority = instance.authority_from(router).to_ascii_lowercase();
    if !authority.chars().all(|c| c.is_ascii_alphanumeric() || ".:-[]".contains(c)) {
        return Err(HookError::failed(format!("`{authority}` is no address for a member of a balancer")));
    }
    Ok(format!("http://{}", authority.strip_suffix(":80").unwrap_or(&authority)))
}

/// The routing that these states come nearest to.
pub(crate) fn shown(seats: &[Seat]) -> Routing {
    let weight = |color| -> f64 {
        seats
            .iter()
            .filter(|seat| seat.color == color && seat.member.is_on())
            .map(|seat| seat.member.factor)
            .sum()
    };
    let (blue, green) = (weight(Color::Blue), weight(Color::Green));
    let mut routing = Routing::to(match (blue > 0.0, green > 0.0) {
        (true, false) => Some(Color::Blue),
        (false, true) => Some(Color::Green),
        (false, false) | (true, true) => None,
    });
    if blue > 0.0 && green > 0.0 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 99")]
        let percent = (100.0 * blue / (blue + green)).round().clamp(1.0, 99.0) as u32;
        (routing.blue, routing.green) = (percent, 100 - percent);
    }
    let serves = |seat: &&Seat| routing.share(seat.color) > 0 && !seat.left_out;
    let mut out: Vec<String> = Vec::new();
    for seat in seats.iter().filter(serves) {
        let is_in = seats.iter().filter(serves).any(|other| other.host == seat.host && other.member.is_on());
        if !is_in && !out.contains(&seat.host) {
            out.push(seat.host.clone());
        }
    }
    routing.out = out;
    routing
}

/// What each seat is to be.
pub(crate) fn goals(seats: &[Seat], want: &Routing) -> Result<Vec<Goal>, HookError> {
    let on = |seat: &Seat| want.share(seat.color) > 0 && !seat.left_out && !want.out.contains(&seat.host);
    let count = |color| seats.iter().filter(|seat| seat.color == color && on(seat)).count();
    for color in [Color::Blue, Color::Green] {
        if want.share(color) > 0 && count(color) == 0 {
            return Err(HookError::failed(format!("{color} has no instance that could get requests")));
        }
    }
    let factors = if want.blue > 0 && want.green > 0 {
        let factor = |color| f64::from(want.share(color)) / count(color) as f64;
        Some(scaled(factor(Color::Blue), factor(Color::Green)).ok_or_else(|| {
            let text = format!(
                "{} blue and {} green instances can't share {} to {}: Apache takes factors from 1 to 100",
                count(Color::Blue),
                count(Color::Green),
                want.blue,
                want.green
            );
            HookError::failed(text)
        })?)
    } else {
        None
    };
    let goal = |seat: &Seat| {
        let own = factors.map(|(blue, green)| if seat.color == Color::Blue { blue } else { green });
        Goal { on: on(seat), factor: own.filter(|_| on(seat)) }
    };
    Ok(seats.iter().map(goal).collect())
}

/// Two factors as Apache takes them, in the same proportion; none where there are none.
fn scaled(blue: f64, green: f64) -> Option<(f64, f64)> {
    let (least, most) = FACTORS;
    let scale = least / blue.min(green);
    let hundredths = |factor: f64| (factor * scale * 100.0).round() / 100.0;
    let (blue, green) = (hundredths(blue), hundredths(green));
    (blue.max(green) <= most).then_some((blue, green))
}

/// Whether a member is what it is to be.
pub(crate) fn is_met(seat: &Seat, goal: Goal) -> bool {
    let near = |factor: f64| (factor - seat.member.factor).abs() < 0.006;
    seat.member.is_on() == goal.on && goal.factor.is_none_or(near)
}

/// Whether all of them are what this routing asks for.
pub(crate) fn is_all(seats: &[Seat], routing: &Routing) -> bool {
    goals(seats, routing).is_ok_and(|goals| seats.iter().zip(goals).all(|(seat, goal)| is_met(seat, goal)))
}

/// The colours with which Apache may begin when it is to go on like this: the one that gets most.
pub(crate) fn may_begin_with(routing: &Routing) -> Vec<Option<Color>> {
    match (routing.blue, routing.green) {
        (0, 0) => vec![None],
        (blue, green) if blue > green => vec![Some(Color::Blue)],
        (blue, green) if blue < green => vec![Some(Color::Green)],
        _ => vec![Some(Color::Blue), Some(Color::Green)],
    }
}

#[cfg(test)]
mod tests {
    use cutover_hooks::fake;

    use super::*;

    /// Two hosts with both colours, in the order blue, green, blue, green; `1` is on.
    fn seats_of(states: &str) -> Vec<Seat> {
        let places =
            [("web1", Color::Blue), ("web1", Color::Green), ("web2", Color::Blue), ("web2", Color::Green)];
        let seat = |((host, color), state): (&(&str, Color), char)| Seat {
            host: (*host).to_owned(),
            color: *color,
            left_out: false,
            member: Member {
                url: format!("http://{host}-{color}"),
                status: if state == '1' { "Init Ok" } else { "Init Dis" }.to_owned(),
                factor: 1.0,
                busy: 0,
            },
        };
        places.iter().zip(states.chars()).map(seat).collect()
    }

    /// The seats after a routing was applied to them.
    fn applied(mut seats: Vec<Seat>, want: &Routing) -> Vec<Seat> {
        let goals = goals(&seats, want).expect("it can be");
        for (seat, goal) in seats.iter_mut().zip(goals) {
            seat.member.status = if goal.on { "Init Ok" } else { "Init Dis" }.to_owned();
            seat.member.factor = goal.factor.unwrap_or(seat.member.factor);
        }
        seats
    }

    #[test]
    fn every_routing_that_can_be_applied_is_shown_again() {
        for states in 0..16 {
            let begun = seats_of(&format!("{states:04b}"));
            for blue in 0..=100 {
                for out in [vec![], vec!["web1".to_owned()], vec!["web2".to_owned()]] {
                    let want = Routing { blue, green: 100 - blue, out };
                    let seats = applied(begun.clone(), &want);
                    assert_eq!(shown(&seats), want, "{states:04b}");
                    assert!(is_all(&seats, &want), "{states:04b} {want:?}");
                }
            }
            let none = Routing::to(None);
            assert_eq!(shown(&applied(begun, &none)), none);
        }
    }

    #[test]
    fn what_is_between_two_routings_is_no_whole_one() {
        for states in 0..16 {
            let seats = seats_of(&format!("{states:04b}"));
            let routing = shown(&seats);
            let whole = is_all(&seats, &routing);
            let expected = !matches!(states, 0b0110 | 0b1001 | 0b1110 | 0b1101 | 0b1011 | 0b0111);
            assert_eq!(whole, expected, "{states:04b}: {routing:?}");
        }
    }

    #[test]
    fn a_host_that_was_left_out_gets_nothing_and_is_not_called_out() {
        let mut seats = seats_of("0000");
        seats[3].left_out = true;
        let green = Routing::to(Some(Color::Green));
        let seats = applied(seats, &green);
        let on: Vec<bool> = seats.iter().map(|seat| seat.member.is_on()).collect();
        assert_eq!(on, [false, true, false, false]);
        assert_eq!(shown(&seats), green);
        // Somebody turns it on by hand.
        let mut seats = seats;
        seats[3].member.status = "Init Ok".to_owned();
        assert_eq!((shown(&seats), is_all(&seats, &green)), (green, false));
    }

    #[test]
    fn nobody_left_and_shares_too_fine_are_refused() {
        let out =
            Routing { out: vec!["web1".to_owned(), "web2".to_owned()], ..Routing::to(Some(Color::Green)) };
        assert_eq!(
            goals(&seats_of("1010"), &out),
            Err(HookError::failed("green has no instance that could get requests"))
        );
        let mut many = seats_of("1010");
        many.extend(seats_of("1010"));
        many[1].left_out = true;
        many[3].left_out = true;
        many[5].left_out = true;
        let fine = Routing { blue: 1, green: 99, out: Vec::new() };
        assert_eq!(
            goals(&many, &fine),
            Err(HookError::failed(
                "4 blue and 1 green instances can't share 1 to 99: Apache takes factors from 1 to 100"
            ))
        );
    }

    #[test]
    fn urls_are_those_that_apache_writes() {
        let mut instance = fake::instance("web1", Color::Blue, "Web1.Example.com");
        assert_eq!(url(&instance, "lb1").as_deref(), Ok("http://web1.example.com:4001"));
        assert_eq!(url(&instance, "web1").as_deref(), Ok("http://127.0.0.1:4001"));
        instance.port = 80;
        assert_eq!(url(&instance, "lb1").as_deref(), Ok("http://web1.example.com"));
        instance.address = "fd00::12".to_owned();
        assert_eq!(url(&instance, "lb1").as_deref(), Ok("http://[fd00::12]"));
        instance.address = "x\" status=+I".to_owned();
        assert_eq!(
            url(&instance, "lb1"),
            Err(HookError::failed("`x\" status=+i:80` is no address for a member of a balancer"))
        );
    }

    #[test]
    fn a_restart_goes_on_with_the_color_that_gets_most() {
        let begin = |blue, green| may_begin_with(&Routing { blue, green, out: Vec::new() });
        assert_eq!(begin(0, 0), [None]);
        assert_eq!(begin(95, 5), [Some(Color::Blue)]);
        assert_eq!(begin(0, 100), [Some(Color::Green)]);
        assert_eq!(begin(50, 50), [Some(Color::Blue), Some(Color::Green)]);
    }
}
