//! What is installed once on a router's host.

use cutover_hooks::setup::{fill, own_directory, parent};
use cutover_hooks::{Call, Color, HookError};

use crate::seats::url;
use crate::settings::Site;

impl Site {
    /// The file with the balancer.
    pub(crate) fn server(&self, call: &Call, router: &str) -> Result<String, HookError> {
        let mut members = String::new();
        for color in [Color::Blue, Color::Green] {
            for instance in call.instances.iter().filter(|instance| instance.color == color) {
                members.push_str(&format!(
                    "    BalancerMember \"{}\" route={color}-{} status=${{cutover-{}-{color}}} retry=1 upgrade=websocket\n",
                    url(instance, router)?,
                    instance.host,
                    self.name,
                ));
            }
        }
        if members.is_empty() {
            return Err(HookError::failed("there are no instances"));
        }
        Ok(self.fill(include_str!("template/server.conf"), &members))
    }

    /// As a script.
    pub(crate) fn setup(&self, call: &Call, router: &str, user: &str) -> Result<String, HookError> {
        let Self { name, directory, server_include, site_include, manager_port } = self;
        let (servers, sites) = (parent(server_include), parent(site_include));
        let made = own_directory(directory, user);
        let manager = format!("{servers}/cutover-balancer-manager-{manager_port}.conf");
        let mut parents = format!("mkdir -p {sites}\n");
        if servers != sites && servers != INCLUDED {
            parents.push_str(&format!("mkdir -p {servers}\n"));
        }
        // What Apache as it is packaged includes by itself needs no words.
        let included = if servers == INCLUDED {
            String::new()
        } else {
            format!("# Then, in apache2.conf:\n#     Include {server_include}\n#     Include {manager}\n")
        };
        Ok(format!(
            "# Apache on {router}: the colour of {name} is which members of its balancer are on\n\
             {made}\
             {parents}\
             cat > {server_include} <<'CUTOVER'\n{}CUTOVER\n\
             cat > {manager} <<'CUTOVER'\n{}CUTOVER\n\
             cat > {site_include} <<'CUTOVER'\n{}CUTOVER\n\
             {included}\
             # Then: a2enmod proxy_http proxy_balancer lbmethod_byrequests headers\n\
             # and in the VirtualHost of {name}:\n\
             #     Include {site_include}\n\
             # and: apache2ctl configtest && systemctl restart apache2\n\
             # A websocket on which neither side says a word is closed after `Timeout` or `ProxyTimeout`, whichever is longer\n",
            self.server(call, router)?,
            self.fill(include_str!("template/manager.conf"), ""),
            self.fill(include_str!("template/site.conf"), ""),
        ))
    }

    fn fill(&self, template: &str, members: &str) -> String {
        let values = [
            ("name", self.name.as_str()),
            ("directory", &self.directory),
            ("manager-port", &self.manager_port.to_string()),
            ("members", members),
        ];
        fill(template, &values)
    }
}

/// Where Apache looks for files outside its virtual hosts by itself, as Debian packages it.
const INCLUDED: &str = "/etc/apache2/conf-enabled";
