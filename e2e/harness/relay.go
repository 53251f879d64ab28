package harness

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Relay is a bad network between a host who publishes by RTSP over UDP and the server. It passes the host's connection on,
// with its own ports in the Transport headers, so that all packets come through it, and does to those of RTP what a
// Weather says, while there is a storm. RTCP passes untouched.
type Relay struct {
	server  *Server
	weather Weather
	listen  net.Listener
	work    sync.WaitGroup

	mu      sync.Mutex // guards what follows
	closers []io.Closer
	over    bool
	random  *rand.Rand
	media   []*flow // of RTP, in the order of the host's tracks
	done    Damage
	whole   []bool // by picture of the first track, by the time in its packets: nothing of it was dropped
	from    int    // the storm's first picture
	to      int    // the first one behind it
}

// Weather is what a network does to packets of RTP, each for itself. It either loses packets or keeps them up: what a
// receiver should count is not certain otherwise.
type Weather struct {
	Loss   float64 // the share of packets that are dropped
	Twice  float64 // the share of packets that are sent twice
	Jitter time.Duration
}

// Damage is what a relay has done.
type Damage struct {
	Packets int // that came from the host
	Lost    int
	Twice   int
	// Overtaken are packets that others had overtaken, and with which the row up to them was whole.
	Overtaken int
}

// Relay starts a relay on free ports. What it does depends on seed and on the packets. It ends with the test.
func (s *Server) Relay(t testing.TB, w Weather, seed uint64) *Relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{server: s, weather: w, listen: l, closers: []io.Closer{l}, random: rand.New(rand.NewPCG(seed, seed))}
	r.work.Go(func() {
		for {
			host, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", s.RTSP)
			if err != nil {
				host.Close()
				continue
			}
			r.keep(host, server)
			setups := make(chan setup, 16)
			r.work.Go(func() { r.requests(t, host, server, setups) })
			r.work.Go(func() { r.answers(server, host, setups) })
		}
	})
	t.Cleanup(func() {
		r.mu.Lock()
		r.over = true
		for _, c := range r.closers {
			c.Close()
		}
		r.mu.Unlock()
		r.work.Wait()
	})
	return r
}

// keep has something closed when the relay ends.
func (r *Relay) keep(closers ...io.Closer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closers = append(r.closers, closers...)
	for _, c := range closers {
		if r.over {
			c.Close()
		}
	}
}

// URL returns the address to publish a show to by RTSP, through the relay.
func (r *Relay) URL(name string) string {
	return "rtsp://" + r.listen.Addr().String() + "/live/" + name
}

// Storm begins to do damage, for so many pictures of the first track, but not to the first seconds of a show.
func (r *Relay) Storm(pictures int) {
	const calm = 2 * fps
	r.mu.Lock()
	defer r.mu.Unlock()
	r.from = max(len(r.whole), calm)
	r.to = r.from + pictures
}

// Since returns how many pictures have come since the end of the storm; zero before that.
func (r *Relay) Since() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.to == 0 {
		return 0
	}
	return max(0, len(r.whole)-r.to)
}

// Damage returns what has been done so far, and for each picture of the first track whether nothing of it was dropped:
// pictures are numbered by their times, thirty to the second from the first one's.
func (r *Relay) Damage() (Damage, []bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done, append([]bool(nil), r.whole...)
}

// KernelDrops returns how many packets the kernel has dropped on their way, because the relay or the server was too late to read
// them. It is to be asked while both run.
func (r *Relay) KernelDrops(t testing.TB) (n int) {
	t.Helper()
	ports := []netip.AddrPort{netip.MustParseAddrPort(r.server.RTP)}
	r.mu.Lock()
	for _, f := range r.media {
		ports = append(ports, f.conn.LocalAddr().(*net.UDPAddr).AddrPort())
	}
	r.mu.Unlock()
	table, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		for _, p := range ports {
			if strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", p.Port())) {
				drops, _ := strconv.Atoi(fields[len(fields)-1])
				n += drops
			}
		}
	}
	return n
}

// setup is a SETUP request that waits for its answer.
type setup struct {
	even, odd *flow // RTP and RTCP
	ports     string
}

var (
	clientPort = regexp.MustCompile(`client_port=(\d+)-(\d+)`)
	serverPort = regexp.MustCompile(`server_port=(\d+)-(\d+)`)
)

// requests passes the host's requests on.
func (r *Relay) requests(t testing.TB, host, server net.Conn, setups chan<- setup) {
	defer server.Close()
	in := bufio.NewReader(host)
	for {
		text, err := readMessage(in)
		if err != nil {
			return
		}
		if m := clientPort.FindStringSubmatch(text); m != nil && strings.HasPrefix(text, "SETUP ") {
			even, odd, err := r.pair(m[1], m[2])
			if err != nil {
				t.Error(err)
				return
			}
			setups <- setup{even, odd, m[0]}
			text = strings.Replace(text, m[0], fmt.Sprintf("client_port=%d-%d", even.port(), odd.port()), 1)
		}
		if _, err := io.WriteString(server, text); err != nil {
			return
		}
	}
}

// answers passes the server's answers on.
func (r *Relay) answers(server, host net.Conn, setups <-chan setup) {
	defer host.Close()
	in := bufio.NewReader(server)
	for {
		text, err := readMessage(in)
		if err != nil {
			return
		}
		if m := serverPort.FindStringSubmatch(text); m != nil {
			s := <-setups
			s.even.server, s.odd.server = loopback(m[1]), loopback(m[2])
			r.mu.Lock()
			s.even.pictures, s.even.media = len(r.media) == 0, true
			r.media = append(r.media, s.even)
			r.mu.Unlock()
			r.work.Go(s.even.run)
			r.work.Go(s.odd.run)
			text = strings.Replace(text, m[0], fmt.Sprintf("server_port=%d-%d", s.even.port(), s.odd.port()), 1)
			text = clientPort.ReplaceAllString(text, s.ports)
		}
		if _, err := io.WriteString(host, text); err != nil {
			return
		}
	}
}

// readMessage reads a request or an answer of RTSP with its body.
func readMessage(r *bufio.Reader) (string, error) {
	const most = 1 << 16
	text, length := "", 0
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return "", err
		}
		text += line
		if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "Content-Length") {
			length, _ = strconv.Atoi(strings.TrimSpace(value))
		}
		if length < 0 || length > most || len(text) > most {
			return "", fmt.Errorf("a message of %d bytes and more", most)
		}
		if strings.TrimSpace(line) == "" {
			break
		}
	}
	body := make([]byte, length)
	_, err := io.ReadFull(r, body)
	return text + string(body), err
}
