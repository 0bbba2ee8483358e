//! A route and the apps that its requests go to.

use cutover_hooks::{Call, Color, HookError, engine};
use serde_json::{Value, json};

use crate::api::Api;
use crate::settings::Settings;

/// The route of the settings, as it was when it was looked at.
#[derive(Debug)]
pub(crate) struct Route<'a> {
    settings: &'a Settings,
    guid: String,
    /// The apps of blue and green.
    apps: [String; 2],
    /// The destination that leads to each of them, where there is one.
    destinations: [Option<String>; 2],
}

const COLORS: [Color; 2] = [Color::Blue, Color::Green];

impl<'a> Route<'a> {
    /// Looks it up, with its apps, by their names.
    ///
    /// # Errors
    /// When one of them is not there, or the route leads somewhere else, too.
    pub(crate) fn find(settings: &'a Settings) -> Result<Self, HookError> {
        let api = Api::new(settings);
        let Settings { host, domain, .. } = settings;
        let domains = api.list(&format!("/v3/domains?names={domain}"))?;
        let [found] = domains.as_slice() else {
            return Err(HookError::failed(format!("there is no domain `{domain}` for this token's account")));
        };
        let routes = api.list(&format!("/v3/routes?hosts={host}&domain_guids={}", guid(found)?))?;
        let is_it = |route: &&Value| {
            route["host"] == host.as_str() && route["path"] == "" && route["protocol"] == "http"
        };
        let Some(route) = routes.iter().find(is_it) else {
            let text = format!("there is no route `{}` for this token's account", settings.url());
            return Err(HookError::failed(text).hint("`cutover setup` prints how it is made"));
        };
        let space = text(&route["relationships"]["space"]["data"]["guid"])?;
        let names = [&settings.blue, &settings.green];
        let apps = api.list(&format!("/v3/apps?names={},{}&space_guids={space}", names[0], names[1]))?;
        let app = |name: &String| match apps.iter().find(|app| app["name"] == name.as_str()) {
            Some(app) => guid(app),
            None => Err(HookError::failed(format!("there is no app `{name}` in the space of the route"))),
        };
        let apps = [app(names[0])?, app(names[1])?];
        let guid = guid(route)?;
        let destinations = destinations(settings, &apps, &route["destinations"])?;
        Ok(Self { settings, guid, apps, destinations })
    }

    /// Colours whose app has the route.
    pub(crate) fn mapped(&self) -> impl Iterator<Item = Color> {
        let there = [self.destinations[0].is_some(), self.destinations[1].is_some()];
        COLORS.into_iter().zip(there).filter(|(_, there)| *there).map(|(color, _)| color)
    }

    /// Whether just that colour has it, or none.
    pub(crate) fn is_at(&self, want: Option<Color>) -> bool {
        self.mapped().eq(want)
    }

    /// Maps what is to get requests, and, once each of the foundation's routers has had its time to learn of it, unmaps the rest.
    ///
    /// # Errors
    /// When it is not known to be done. No app has lost the route then, but for the last steps, where the new one has it.
    pub(crate) fn switch(mut self, want: Option<Color>) -> Result<(), HookError> {
        let Some(color) = want else {
            return COLORS.into_iter().try_for_each(|color| self.unmap(color).map(drop));
        };
        if self.destinations[index(color)].is_none() {
            self.map(color)?;
            if self.destinations[index(color)].is_none() {
                return Err(self.not_there(color));
            }
        }
        if self.is_at(want) {
            return Ok(());
        }
        // Also where both have had it before: nobody knows for how long.
        engine::sleep(self.settings.overlap());
        self.look()?;
        if self.destinations[index(color)].is_none() {
            return Err(self.not_there(color));
        }
        if self.unmap(color.other())? {
            self.require_kept(color)?;
        }
        Ok(())
    }

    /// Once the other app has lost the route. Who took it from this one between the look and that has left it with nobody: then the other one gets it
    /// back.
    fn require_kept(&mut self, color: Color) -> Result<(), HookError> {
        self.look()?;
        if self.destinations[index(color)].is_some() {
            return Ok(());
        }
        let (settings, other) = (self.settings, color.other());
        let (url, app, other_app) = (settings.url(), settings.app(color), settings.app(other));
        let text = format!(
            "route `{url}` was taken from app `{app}` by somebody, as it was taken from `{other_app}`"
        );
        let back = if self.destinations[index(other)].is_some() { Ok(()) } else { self.map(other) };
        Err(match back {
            Ok(()) => HookError::failed(text).hint(format!("`{other_app}` has it again")),
            Err(back) => HookError::failed(text)
                .hint(format!("it could not be given back to `{other_app}`: {}", back.text())),
        })
    }

    fn path(&self) -> String {
        format!("/v3/routes/{}/destinations", self.guid)
    }

    /// Looks at its destinations anew.
    fn look(&mut self) -> Result<(), HookError> {
        let answer = Api::new(self.settings).get(&self.path())?;
        self.destinations = destinations(self.settings, &self.apps, &answer["destinations"])?;
        Ok(())
    }

    /// Gives it to an app.
    fn map(&mut self, color: Color) -> Result<(), HookError> {
        let body = json!({"destinations": [{"app": {"guid": self.apps[index(color)]}}]});
        let answer = Api::new(self.settings).post(&self.path(), &body)?;
        self.destinations = destinations(self.settings, &self.apps, &answer["destinations"])?;
        Ok(())
    }

    /// Takes it from an app, and tells whether that had it.
    fn unmap(&self, color: Color) -> Result<bool, HookError> {
        let Some(destination) = &self.destinations[index(color)] else { return Ok(false) };
        Api::new(self.settings).delete(&format!("{}/{destination}", self.path()))?;
        Ok(true)
    }

    fn not_there(&self, color: Color) -> HookError {
        let text = format!(
            "route `{}` was given to app `{}`, and does not have it: nothing was taken from it",
            self.settings.url(),
            self.settings.app(color)
        );
        HookError::failed(text)
    }

    /// Whether the app of a colour runs: one instance at least, and all but for as many as hosts were left out.
    ///
    /// # Errors
    /// When it does not; temporary.
    pub(crate) fn check_instances(&self, call: &Call, color: Color) -> Result<(), HookError> {
        let stats = Api::new(self.settings)
            .get(&format!("/v3/apps/{}/processes/web/stats", self.apps[index(color)]))?;
        let states: Vec<&str> = stats["resources"]
            .as_array()
            .ok_or_else(|| HookError::failed("what the API tells of the instances is no list"))?
            .iter()
            .map(|instance| instance["state"].as_str().unwrap_or("of unknown state"))
            .collect();
        let rest: Vec<&str> = states.iter().copied().filter(|state| *state != "RUNNING").collect();
        let left_out =
            call.instances.iter().filter(|instance| instance.color == color && instance.is_left_out());
        if rest.len() < states.len() && rest.len() <= left_out.count() {
            return Ok(());
        }
        let app = self.settings.app(color);
        let text = match states.as_slice() {
            [] => format!("app `{app}` has no instance"),
            _ => format!(
                "not running of app `{app}`, {} of {} instances: {}",
                rest.len(),
                states.len(),
                rest.join(" ")
            ),
        };
        Err(HookError::temporary(text).hint(format!("`cf app {app}` and `cf logs {app} --recent` tell why")))
    }
}

/// The destinations of blue and green in a list of them.
fn destinations(
    settings: &Settings,
    apps: &[String; 2],
    list: &Value,
) -> Result<[Option<String>; 2], HookError> {
    let list = list
        .as_array()
        .ok_or_else(|| HookError::failed("what the API tells of the route's destinations is no list"))?;
    let mut found = [None, None];
    for destination in list {
        let leads_to = |app: &String| destination["app"]["guid"] == app.as_str();
        let is_web = destination["app"]["process"]["type"] == "web";
        match apps.iter().position(leads_to).filter(|_| is_web) {
            Some(color) if found[color].is_none() => found[color] = Some(guid(destination)?),
            _ => {
                let app = destination["app"]["guid"].as_str().unwrap_or_default();
                let process = destination["app"]["process"]["type"].as_str().unwrap_or_default();
                let text = format!(
                    "route `{}` leads to more than blue and green: to process `{process}` of app `{app}`",
                    settings.url()
                );
                return Err(
                    HookError::failed(text).hint("each has it once, with its process `web`: unmap the rest")
                );
            }
        }
    }
    Ok(found)
}

const fn index(color: Color) -> usize {
    match color {
        Color::Blue => 0,
        Color::Green => 1,
    }
}

fn guid(resource: &Value) -> Result<String, HookError> {
    text(&resource["guid"])
}

/// Text that may stand in a path.
fn text(value: &Value) -> Result<String, HookError> {
    let plain = |text: &&str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let text = value.as_str().filter(plain);
    text.map(str::to_owned)
        .ok_or_else(|| HookError::failed(format!("the API tells `{value}` instead of a guid")))
}
