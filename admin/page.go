package admin

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html"
	"net"
	"net/http"
	"path"
	"strings"
	"time"
)

// The operators' page, for people who do not want to read JSON. It is a page of its own server and nothing else: it works without
// a network, asks the API of the same listener, and is behind the same guard. It shows what the API says and no more;
// stream keys are nowhere in either.
//
//	GET /streams              all shows
//	GET /streams/live/{name}  one show, and what its host pastes into OBS. The show need not be on
const (
	pagePath = "/streams"
	// pagePolicy: the page's own scripts and styles, nobody else's, and nobody puts the page into another.
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

//go:embed page/index.html page/page.css page/page.js page/words.js
var pageFiles embed.FS

var pageTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
}

// handlePage adds the page's routes to mux.
func (s *Server) handlePage(mux *http.ServeMux) {
	index := pageFile("index.html", strings.NewReplacer("{{makes}}", html.EscapeString(strings.Join(s.Makes, " "))))
	mux.HandleFunc("GET "+pagePath, index)
	mux.HandleFunc("GET "+pagePath+"/live/{name}", index)
	for _, name := range []string{"page.css", "page.js", "words.js"} {
		mux.HandleFunc("GET "+pagePath+"/"+name, pageFile(name, strings.NewReplacer()))
	}
}

// pageFile answers with an embedded file. Browsers ask each time whether it is still the same: after an upgrade of the server no old
// script may meet a new page.
func pageFile(name string, fill *strings.Replacer) http.HandlerFunc {
	raw, err := pageFiles.ReadFile("page/" + name)
	if err != nil {
		panic("admin: " + err.Error()) // the embed line names it
	}
	body := []byte(fill.Replace(string(raw)))
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", pageTypes[path.Ext(name)])
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	}
}

// withPage adds to a show the address of its viewers' page, for somebody who knows the server as r does.
func (s *Server) withPage(st Stream, r *http.Request) Stream {
	if s.Watch == nil {
		return st
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	st.Page = s.Watch(strings.Trim(host, "[]"), st.Name)
	return st
}
