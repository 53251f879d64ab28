package admin

import (
	"net"
	"net/http"
	"strings"
	"time"
)

// guard keeps strangers from reaching the API through an operator's own browser: a page somewhere can
// have it send requests to 127.0.0.1. Such a request names the page's host, by DNS rebinding, or says
// that it crosses sites (Fetch metadata, Origin).
func (s *Server) guard(next http.Handler) http.Handler {
	crossing := http.NewCrossOriginProtection()
	crossing.SetDenyHandler(http.HandlerFunc(refuseCrossing))
	next = crossing.Handler(next)
	local := s.Config.local()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(requestTimeout))
		r.Body = http.MaxBytesReader(w, r.Body, maxBody(r))
		switch {
		case local && !localHost(r.Host):
			fail(w, http.StatusForbidden, "this listener is for this machine only, and the request names the host %q: use 127.0.0.1 or localhost, or set admin.listen to an address that operators reach", r.Host)
		case r.Header.Get("Sec-Fetch-Site") == "cross-site" && strings.HasPrefix(r.URL.Path, "/debug/"):
			refuseCrossing(w, r) // a profile costs time, even if the page can't read it
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func refuseCrossing(w http.ResponseWriter, _ *http.Request) {
	fail(w, http.StatusForbidden, "the request comes from a page of another site: nothing is done for it")
}

// localHost reports whether a Host header names this machine.
func localHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	return isLoopback(host) || strings.HasSuffix(host, ".localhost")
}
