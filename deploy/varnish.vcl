vcl 4.1;
# Varnish in front of Stet. Set CDN_MAX_AGE: Stet then says how long an answer may be given, and how long it may be given stale.

import std;

backend stet {
  .host = "127.0.0.1";
  .port = "4000";
  .probe = {
    .url = "/readyz";
    .interval = 1s;
    .timeout = 1s;
    .window = 2;
    .threshold = 1;
  }
}

sub vcl_recv {
  # The question stands in the body, which Varnish doesn't look at.
  if (req.method == "QUERY") {
    return (pass);
  }
  # Stale answers are for when Stet isn't well, as long as each says. While it is well, a reader waits for the new one.
  # If readers should not wait: up to the shorter one of CDN_MAX_AGE and CACHE_GRACE.
  if (std.healthy(req.backend_hint)) {
    set req.grace = 0s;
  }
}

sub vcl_backend_response {
  # An answer that was kept is better than an error.
  if (beresp.status >= 500 && bereq.is_bgfetch) {
    return (abandon);
  }
  # Varnish would give any answer for ten seconds after its life.
  set beresp.grace = 0s;
  if (beresp.http.CDN-Cache-Control ~ "stale-if-error=\d") {
    set beresp.grace = std.duration(regsub(beresp.http.CDN-Cache-Control, "^.*stale-if-error=(\d+).*$", "\1s"), 0s);
  }
  # After that it is asked for by its ETag, and need not be sent again.
  set beresp.keep = 1h;
}
