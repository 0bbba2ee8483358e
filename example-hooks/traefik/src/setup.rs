//! What is to be done once on a router's host, as a script: a pure function of the settings and the instances.

use cutover_hooks::{Call, HookError, Routing, setup};

use crate::settings::Site;
use crate::shares::Shares;

impl Site {
    /// The directory, the file with no colour yet, and what Traefik's own configuration needs.
    pub(crate) fn setup(&self, call: &Call, router: &str, user: &str) -> Result<String, HookError> {
        let Self { service, name, directory, api_port } = self;
        let file = self.file();
        let nobody = self.text(&Shares::wanted(call, router, &Routing::to(None))?);
        let made = setup::own_directory(directory, user) + &setup::own_file(&file, user, &nobody);
        Ok(format!(
            "# Traefik on {router}: {file} says where requests of {name} go. Who may write in its directory configures Traefik as a whole:\n\
             # {user} can have it serve anything there.\n\
             {made}\
             # Traefik's own configuration needs this, and a restart where it is new:\n\
             #     providers:\n\
             #       providersThrottleDuration: 100ms   # two changes are 2 s apart without it\n\
             #       file:\n\
             #         directory: {directory}\n\
             #     entryPoints:\n\
             #       traefik:\n\
             #         address: 127.0.0.1:{api_port}\n\
             #     api:\n\
             #       insecure: true   # whoever is on this host can look at it, and change nothing\n\
             # And the router of {name}, in another file of that directory:\n\
             #     http:\n\
             #       routers:\n\
             #         {name}:\n\
             #           rule: Host(`{name}.example.com`)\n\
             #           service: {service}\n\
             # Elsewhere, as in labels of containers, that service is called {service}@file\n"
        ))
    }
}

#[cfg(test)]
mod tests {
    use cutover_hooks::{Color, fake};

    use crate::Settings;

    #[test]
    fn the_script_is_this() {
        let instances = [Color::Blue, Color::Green].map(|color| fake::instance("web1", color, "10.0.0.11"));
        let call = fake::call("{}", instances.into());
        let script = Settings::default().site(&call).setup(&call, "lb1", "deploy");
        assert_eq!(script.as_deref(), Ok(include_str!("../golden/setup.sh")));
    }
}
