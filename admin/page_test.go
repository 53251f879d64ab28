package admin

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestPage(t *testing.T) {
	s := newServer(&shelf{show: Stream{Name: "shop-42"}})
	s.Makes = []string{"nvenc", "x264"}
	for _, path := range []string{"/streams", "/streams/live/shop-42", "/streams/live/not-on-yet"} {
		w := ask(s, "GET", path, nil)
		if w.Code != 200 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
			t.Fatalf("%s: %d %v", path, w.Code, w.Header())
		}
		if page := w.Body.String(); !strings.Contains(page, `data-makes="nvenc x264"`) || strings.Contains(page, "{{") {
			t.Errorf("%s: the page is not filled in", path)
		}
		for _, word := range []string{"default-src 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(w.Header().Get("Content-Security-Policy"), word) {
				t.Errorf("%s: the policy %q lacks %q", path, w.Header().Get("Content-Security-Policy"), word)
			}
		}
		again := ask(s, "GET", path, func(r *http.Request) { r.Header.Set("If-None-Match", w.Header().Get("ETag")) })
		if again.Code != 304 {
			t.Errorf("%s: asked again: %d", path, again.Code)
		}
	}
}

// All that the page and its scripts name is there, from this server, and nothing in it is inline: the policy would forbid it.
func TestPageNamesItsFiles(t *testing.T) {
	s := newServer(&shelf{})
	page := ask(s, "GET", "/streams", nil).Body.String()
	script := ask(s, "GET", "/streams/page.js", nil).Body.String()
	var named []string
	for _, m := range regexp.MustCompile(`(?:src|href)="(/streams/[^"]*)"`).FindAllStringSubmatch(page, -1) {
		named = append(named, m[1])
	}
	for _, m := range regexp.MustCompile(`from '\.(/[^']*)'`).FindAllStringSubmatch(script, -1) {
		named = append(named, "/streams"+m[1])
	}
	if len(named) != 3 {
		t.Errorf("the page names %q", named)
	}
	for _, path := range named {
		if w := ask(s, "GET", path, nil); w.Code != 200 || strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			t.Errorf("%s: %d %s", path, w.Code, w.Header().Get("Content-Type"))
		}
	}
	if inline := regexp.MustCompile(`<style|<script>|\son\w+=|\sstyle=`).FindString(page); inline != "" {
		t.Errorf("the page has something inline: %q", inline)
	}
	if there := regexp.MustCompile(`https?://`).FindString(page + script); there != "" {
		t.Error("the page names another server")
	}
}

// The page is guarded as the API is.
func TestPageIsGuarded(t *testing.T) {
	s := newServer(&shelf{})
	for _, path := range []string{"/streams", "/streams/live/a", "/streams/page.js"} {
		if w := ask(s, "GET", path, func(r *http.Request) { r.Host = "evil.example:8081" }); w.Code != 403 {
			t.Errorf("%s by a strange name: %d", path, w.Code)
		}
	}
	if w := ask(s, "POST", "/streams", nil); w.Code != 405 {
		t.Errorf("POST: %d", w.Code)
	}
}

// Shows say where viewers watch them, by the name that the operator knows the server by.
func TestShowsNameTheViewersPage(t *testing.T) {
	s := newServer(&shelf{show: Stream{Name: "a"}})
	s.Config.Listen = ":8081"
	s.Watch = func(host, name string) string { return "http://" + host + "/live/" + name + "/" }
	for _, path := range []string{"/v1/streams", "/v1/streams/live/a"} {
		w := ask(s, "GET", path, func(r *http.Request) { r.Host = "shows.example:8081" })
		if !strings.Contains(w.Body.String(), `"page": "http://shows.example/live/a/"`) {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
}
