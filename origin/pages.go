package origin

import (
	"net/http"
	"time"
)

// pageBudget is the size that the write deadline of a page is computed for.
const pageBudget = 4 << 20

// page hands the request on to the pages.
func (e *exchange) page() {
	e.kind = kindPage
	e.h["X-Content-Type-Options"] = valueNosniff
	e.deadline(pageBudget)
	w := &pageWriter{ResponseWriter: e.w, status: http.StatusOK}
	e.s.pages.ServeHTTP(w, e.r)
	e.count(w.status, w.sent)
}

// redirectToPage leads /live/{name} to /live/{name}/, where the page's relative links are right. The
// Location is relative, so that it holds behind a proxy that has moved the tree.
func (e *exchange) redirectToPage(name string) {
	e.kind = kindPage
	to := name + "/"
	if q := e.r.URL.RawQuery; q != "" {
		to += "?" + q
	}
	e.h["Location"] = []string{to}
	e.h["Cache-Control"] = []string{maxAge(3600)}
	e.empty(http.StatusMovedPermanently)
}

// healthz says that the origin answers.
func (e *exchange) healthz() {
	e.kind = kindPage
	e.h["Cache-Control"] = noStore
	e.h["Content-Type"] = typeText
	e.text(http.StatusOK, "ok\n")
}

// refuseBody turns a request with a body down. The connection is closed without reading the body: there
// is no deadline on it, and net/http would wait.
func (e *exchange) refuseBody() {
	_ = http.NewResponseController(e.w).SetReadDeadline(time.Now())
	e.fail(errBody)
}

// pageWriter notes what the pages answer.
type pageWriter struct {
	http.ResponseWriter
	status int
	sent   int64
	wrote  bool
}

func (w *pageWriter) WriteHeader(status int) {
	if !w.wrote && status >= 200 {
		w.status, w.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *pageWriter) Write(p []byte) (int, error) {
	w.wrote = true
	n, err := w.ResponseWriter.Write(p)
	w.sent += int64(n)
	return n, err
}

// Unwrap gives http.ResponseController the writer below.
func (w *pageWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
