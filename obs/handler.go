package obs

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Path is where hosts' OBS asks.
const Path = "/obs/config"

// Bounds of a request.
const (
	// readTimeout is how long OBS may take to post; it gives up after five seconds itself.
	readTimeout = 10 * time.Second
	// maxAtOnce bounds the requests in progress: a stranger who tries keys shall not be fast.
	maxAtOnce = 16
)

// Server answers OBS. Its fields are set before it is used.
type Server struct {
	// Show returns the name of the show that a stream key publishes, for a host at an address. The error is a
	// sentence for the host.
	Show func(key string, from netip.Addr) (name string, err error)
	// Rungs returns the ladder of the show called name; nil: DefaultRungs.
	Rungs func(name string) []Rung
	// Endpoints returns where to publish, to one who has reached this server as host (without port).
	Endpoints func(host string) []Endpoint

	slots chan struct{}
}

// NewServer returns a server.
func NewServer(show func(string, netip.Addr) (string, error), rungs func(string) []Rung, endpoints func(string) []Endpoint) *Server {
	return &Server{Show: show, Rungs: rungs, Endpoints: endpoints, slots: make(chan struct{}, maxAtOnce)}
}

// ServeHTTP answers any path: to POST as OBS asks (its stream key in the body), to GET with what there is to paste
// (?name=SHOW, see Paste).
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many hosts ask at once: try again", http.StatusServiceUnavailable)
		return
	}
	switch r.Method {
	case http.MethodPost:
		s.post(w, r)
	case http.MethodGet, http.MethodHead:
		conf, err := s.Paste(r.URL.Query().Get("name"), r.Host, r.URL.Query())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		write(w, conf)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(w, "use GET or POST", http.StatusMethodNotAllowed)
	}
}

// post answers OBS. What the host can do something about is told in the answer, which OBS shows; it shows
// nothing of one with an error status.
func (s *Server) post(w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTimeout)) // tests have none
	req, err := readRequest(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	key, _, _ := strings.Cut(req.Authentication, "?")
	from, _ := netip.ParseAddrPort(r.RemoteAddr)
	name, err := s.Show(key, from.Addr())
	if err != nil {
		write(w, refusal(err.Error()))
		return
	}
	conf, err := req.answer(s.rungs(name), s.Endpoints(hostname(r.Host)))
	if err != nil {
		conf = refusal(err.Error() + ".")
	}
	write(w, conf)
}

func (s *Server) rungs(name string) []Rung {
	if rungs := s.Rungs(name); len(rungs) > 0 {
		return rungs
	}
	return DefaultRungs
}

// Paste returns what to paste into OBS for the show called name: for the canvas in the query (size=1920x1080,
// fps=30 or 30000/1001) and a make of encoder (encoder=nvenc). The server is called host.
func (s *Server) Paste(name, host string, q url.Values) (Config, error) {
	c, err := ParseCanvas(q.Get("size"), q.Get("fps"))
	if err != nil {
		return Config{}, err
	}
	return Override(s.rungs(name), c, q.Get("encoder"), s.Endpoints(hostname(host)))
}

// ParseCanvas reads a size such as 1920x1080 and a frame rate such as 30, 29.97 or 30000/1001. Both may be
// empty, for the usual ones.
func ParseCanvas(size, fps string) (Canvas, error) {
	c := usual
	if size != "" {
		w, h, _ := strings.Cut(size, "x")
		var errW, errH error
		c.Width, errW = strconv.Atoi(w)
		c.Height, errH = strconv.Atoi(h)
		if errW != nil || errH != nil {
			return c, fmt.Errorf("size=%.20q is no size: write it as 1920x1080", size)
		}
	}
	if fps != "" {
		num, den, fraction := strings.Cut(fps, "/")
		n, errN := strconv.ParseFloat(num, 64)
		d, errD := 1.0, error(nil)
		if fraction {
			d, errD = strconv.ParseFloat(den, 64)
		}
		if errN != nil || errD != nil || !(n > 0 && d > 0 && n < 1e6 && d < 1e6) {
			return c, fmt.Errorf("fps=%.20q is no frame rate: write it as 30, 29.97 or 30000/1001", fps)
		}
		c.FPSNum, c.FPSDen = int(n), int(d)
		if whole := math.Round(n); n != whole { // 23.976, 29.97, 59.94
			c.FPSNum, c.FPSDen = int(math.Ceil(n))*1000, 1001
		}
	}
	if !c.valid() {
		return c, fmt.Errorf("a canvas of %.20q at %.20q makes no sense: give a size from %d to %d and a frame rate from 1 to %d", size, fps, minSide, maxSide, maxFPS)
	}
	return c, nil
}

// hostname is a Host header without its port.
func hostname(host string) string {
	u := url.URL{Host: host}
	if h := u.Hostname(); h != "" {
		return h
	}
	return "localhost"
}

func write(w http.ResponseWriter, c Config) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(w, c.String())
}
