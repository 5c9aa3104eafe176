//! The site of the scenario: a web server, an account, a scheduled command.

/// The configuration on the host.
pub(crate) const CONFIGURATION: &str = "/etc/nginx/nginx.conf";

/// The host's own file in the repo.
pub(crate) const HOST: &str = "hosts/web.yaml";

/// The template in the repo.
pub(crate) const TEMPLATE: &str = "roles/web/templates/nginx.conf.j2";

/// The role: in the order in which it is applied.
pub(crate) const ROLE: &str = r#"params:
  port: { type: integer, minimum: 1, maximum: 65535 }
  greeting: { type: string, default: hello }
resources:
  - package: nginx
  - group: web
    system: true
  - user: deploy
    group: web
    system: true
    shell: /usr/sbin/nologin
  - file: /etc/cron.d/web
    content: "17 3 * * * deploy true\n"
    owner: root
    mode: "0644"
  - file: /etc/nginx/nginx.conf
    template: nginx.conf.j2
    mode: "0644"
    validate: nginx -t -c %s
    notify: service[nginx]
  - service: nginx
    state: running
    enabled: true
"#;

/// The host's file.
pub(crate) fn host_file(port: u16, greeting: &str) -> String {
    format!("roles: [web]\nvars:\n  web: {{ port: {port}, greeting: {greeting} }}\n")
}

/// The template; `listen` is the directive that a test misspells.
pub(crate) fn template(listen: &str) -> String {
    format!(
        "user www-data;\npid /run/nginx.pid;\nevents {{ worker_connections 64; }}\nhttp {{\n  \
         access_log off;\n  server {{\n    {listen} 127.0.0.1:{{{{ params.port }}}};\n    \
         location / {{ return 200 \"{{{{ params.greeting }}}}\"; }}\n  }}\n}}\n"
    )
}
