//! What is to be done once in the space, as a script: a pure function of the settings.

use crate::settings::Settings;

impl Settings {
    /// The route, both apps without one of their own, and the token.
    pub(crate) fn setup(&self) -> String {
        let Self { host, domain, blue, green, .. } = self;
        let api = self.api();
        format!(
            "# The route, in the space of the two apps. It begins without an app, or with the one that is live\n\
             cf api {api}\n\
             cf create-route {domain} --hostname {host}\n\
             # Each app is pushed without touching the route: cf push {blue} --no-route, cf push {green} --no-route\n\
             # The token's account needs the role SpaceSupporter, or SpaceDeveloper: cf set-space-role ACCOUNT ORG SPACE SpaceSupporter\n\
             # A token of who is logged in: cf oauth-token\n"
        )
    }
}
