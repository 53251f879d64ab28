package rtmp

import (
	"errors"
	"strings"
)

// name is where a host wants to publish.
type name struct{ app, key, query string }

// publishName makes it of what the encoder said in connect (app, tcUrl) and publish. Encoders differ in
// how they cut up a URL: most send "live" and "key", some put the key into the app or into tcUrl only
// and publish "", and those made for Wowza append its default instance, "_definst_". The query may hang on
// any of them and is never part of a name. Nothing is URL-decoded.
func publishName(app, tcURL, stream string) (name, error) {
	path, appQuery := cutQuery(app)
	key, keyQuery := cutQuery(stream)
	elements := split(path + "/" + key)
	if len(elements) < 2 {
		var urlQuery string
		path, urlQuery = urlPath(tcURL)
		elements = split(path + "/" + key)
		if appQuery == "" {
			appQuery = urlQuery
		}
	}
	n := name{query: joinQuery(appQuery, keyQuery)}
	switch len(elements) {
	case 0:
		return n, errors.New("The address has neither app nor stream key: publish to rtmp://HOST/live with your stream key.")
	case 1:
		return n, errors.New("The stream key is missing: set it beside the server's address, rtmp://HOST/live.")
	}
	n.app, n.key = elements[0], strings.Join(elements[1:], "/")
	if len(n.key) > maxNameLength || len(n.query) > maxNameLength {
		return n, errors.New("The stream key is too long: copy it again from where you were given it.")
	}
	return n, nil
}

// checkApp says what is wrong with a connect's app, whatever key will follow; "" if nothing is.
func checkApp(app string) string {
	if len(app) > 2*maxNameLength {
		return "The app in the server's address is too long: use rtmp://HOST/live."
	}
	for _, r := range app {
		if r <= ' ' || r == 0x7F || r == 0xFFFD {
			return "The app in the server's address has a blank or a control character: use rtmp://HOST/live."
		}
	}
	return ""
}

func cutQuery(s string) (path, query string) {
	path, query, _ = strings.Cut(s, "?")
	return path, query
}

func joinQuery(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "&" + b
}

// split returns the elements of a path, without empty ones and default instances.
func split(path string) []string {
	var elements []string
	for e := range strings.SplitSeq(path, "/") {
		if e != "" && e != "_definst_" {
			elements = append(elements, e)
		}
	}
	return elements
}

// urlPath returns the path and query of a tcUrl as they stand there.
func urlPath(tcURL string) (path, query string) {
	_, rest, ok := strings.Cut(tcURL, "://")
	if !ok {
		return "", ""
	}
	_, path, _ = strings.Cut(rest, "/")
	return cutQuery(path)
}
