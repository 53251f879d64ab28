// Package web is what a browser gets: the page that plays a show, its scripts, and the libraries that
// they stand on.
//
// The page's own sources (player/) are embedded as they are, without a framework. The libraries come from npm,
// at the versions of package-lock.json, and `make web` copies them to dist/, which git ignores, and builds the
// overlay (overlay/) there, a package of its own that shops use on their pages. Without them everything
// builds and the page says what is missing. demo/ has the pictures of the demo show's products.
//
// To add a page: a directory beside player/, and its name in the go:embed line.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// AssetsPrefix is where the page's scripts, styles and libraries live, by a path that changes with their
// content. No stream is served below it.
const AssetsPrefix = "/assets/"

// DemoPrefix is where the pictures of the demo show's products are, by a path that stays: NAME.webp.
const DemoPrefix = AssetsPrefix + "demo/"

//go:embed player demo all:dist
var files embed.FS

// Cache rules. The page names its assets by their content's hash, so it is the only thing that has to
// be fresh, and it is small.
const (
	pageCache    = "public, max-age=60"
	assetCache   = "public, max-age=31536000, immutable"
	demoCache    = "public, max-age=3600"
	missingCache = "no-store"
)

// securityPolicy keeps the page to its own server, but for the pictures of products, which are where the shop has
// them. Players hand media to the video element as blobs. Being framed is allowed: shops put the show into their
// own pages.
const securityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https: http:; " +
	"media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'"

// Handler returns the handler of the player page. A path below AssetsPrefix is an asset; any other path
// is the page itself, which is the same for every show: it reads its show's name off its own address.
// Answers are made once, at the first request for them, and are the same bytes for everyone.
func Handler() http.Handler { return shared() }

var shared = sync.OnceValue(func() *handler { return newHandler(files) })

type handler struct {
	page   *document
	prefix string // AssetsPrefix, hash and a slash
	assets map[string]*document
	demo   map[string]*document
}

func newHandler(from fs.FS) *handler {
	contents := make(map[string][]byte)
	hash := sha256.New()
	walk := func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		body, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		contents[name] = body
		fmt.Fprintf(hash, "%s %d\n", name, len(body))
		hash.Write(body)
		return nil
	}
	if err := fs.WalkDir(from, ".", walk); err != nil {
		panic("web: embedded files can't be read: " + err.Error())
	}
	h := &handler{
		prefix: AssetsPrefix + hex.EncodeToString(hash.Sum(nil)[:8]) + "/",
		assets: make(map[string]*document),
		demo:   make(map[string]*document),
	}
	for name, body := range contents {
		if picture, ok := strings.CutPrefix(name, "demo/"); ok {
			h.demo[picture] = newDocument(name, body, demoCache)
			continue
		}
		h.assets[name] = newDocument(name, body, assetCache)
	}
	html := bytes.ReplaceAll(contents["player/index.html"], []byte("{{assets}}"), []byte(h.prefix))
	if _, built := contents["dist/hls.min.mjs"]; !built {
		html = bytes.Replace(html, []byte("<body>"), []byte("<body data-missing>"), 1)
	}
	delete(h.assets, "player/index.html")
	h.page = newDocument("index.html", html, pageCache)
	return h
}

// ServeHTTP answers GET and HEAD.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD are answered here", http.StatusMethodNotAllowed)
		return
	}
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	if !strings.HasPrefix(r.URL.Path, AssetsPrefix) {
		header.Set("Content-Security-Policy", securityPolicy)
		header.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		h.page.serve(w, r)
		return
	}
	if name, current := strings.CutPrefix(r.URL.Path, h.prefix); current && h.assets[name] != nil {
		h.assets[name].serve(w, r)
		return
	}
	if name, ok := strings.CutPrefix(r.URL.Path, DemoPrefix); ok && h.demo[name] != nil {
		h.demo[name].serve(w, r)
		return
	}
	header.Set("Cache-Control", missingCache)
	http.Error(w, "no such asset; reload the page", http.StatusNotFound)
}

// document is one answer, in plain and in compressed form.
type document struct {
	contentType, cache string
	plain              form
	gzip               func() form // compresses at the first call
}

type form struct {
	body []byte
	etag string
}

func newDocument(name string, body []byte, cache string) *document {
	sum := sha256.Sum256(body)
	tag := hex.EncodeToString(sum[:8])
	return &document{
		contentType: contentType(name),
		cache:       cache,
		plain:       form{body, `"` + tag + `"`},
		gzip:        sync.OnceValue(func() form { return form{compress(body), `"` + tag + `-gzip"`} }),
	}
}

func (d *document) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", d.contentType)
	header.Set("Cache-Control", d.cache)
	header.Set("Vary", "Accept-Encoding")
	out := d.plain
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		out = d.gzip()
		header.Set("Content-Encoding", "gzip")
	}
	header.Set("ETag", out.etag)
	if matches(r.Header.Get("If-None-Match"), out.etag) {
		header.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Length", strconv.Itoa(len(out.body)))
	if r.Method == http.MethodGet {
		w.Write(out.body) // a viewer who has gone is nobody's error
	}
}

// contentType does not ask the machine's own table for what matters: browsers refuse a module script of
// another type.
func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".webp":
		return "image/webp"
	case ".txt":
		return "text/plain; charset=utf-8"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
		return "application/octet-stream"
	}
}

func compress(body []byte) []byte {
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	z.Write(body) // a bytes.Buffer takes everything
	z.Close()
	return buf.Bytes()
}

// acceptsGzip reports whether an Accept-Encoding header names gzip without refusing it (RFC 9110 12.5.3).
func acceptsGzip(header string) bool {
	for item := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		weight, isWeight := strings.CutPrefix(strings.TrimSpace(params), "q=")
		q, err := strconv.ParseFloat(weight, 64)
		return !isWeight || err != nil || q > 0
	}
	return false
}

// matches reports whether an If-None-Match header holds etag (RFC 9110 13.1.2: weak comparison).
func matches(header, etag string) bool {
	for item := range strings.SplitSeq(header, ",") {
		item = strings.TrimPrefix(strings.TrimSpace(item), "W/")
		if item == etag || item == "*" {
			return true
		}
	}
	return false
}
