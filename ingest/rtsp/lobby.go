package rtsp

import (
	"container/list"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// lobby is the listener that gortsplib accepts from. It knows the open connections, keeps their number within
// bounds, and gives each its deadlines: gortsplib has none for strangers.
type lobby struct {
	net.Listener
	server *Server
	conf   Config

	mu        sync.Mutex
	conns     map[*conn]*list.Element // guarded by mu; the element is nil once it publishes
	byAddress map[netip.Prefix]int    // guarded by mu
	pending   list.List               // of *conn, oldest first; guarded by mu
}

func newLobby(ln net.Listener, s *Server) *lobby {
	return &lobby{Listener: ln, server: s, conf: s.conf, conns: make(map[*conn]*list.Element), byAddress: make(map[netip.Prefix]int)}
}

// Accept returns the next connection that may come in. Its error is final.
func (l *lobby) Accept() (net.Conn, error) {
	const longestPause = time.Second
	pause := time.Duration(0)
	for {
		nc, err := l.Listener.Accept()
		if err != nil {
			if l.server.stopping.Load() || isClosed(err) {
				return nil, err
			}
			// Out of file descriptors, most likely: wait for some to be given back.
			pause = min(max(2*pause, 5*time.Millisecond), longestPause)
			l.server.noise.log(l.server.Log, slog.LevelError, "rtsp: accept failed", "err", err)
			time.Sleep(pause)
			continue
		}
		pause = 0
		if _, ok := nc.RemoteAddr().(*net.TCPAddr); !ok {
			nc.Close() // gortsplib knows no others
			continue
		}
		l.server.accepted.Add(1)
		c := newConn(nc, l)
		if err := l.enter(c); err != nil {
			l.server.refused.Add(1)
			l.server.noise.log(l.server.Log, slog.LevelWarn, "rtsp: connection refused", "remote", c.remote, "why", err)
			nc.Close()
			continue
		}
		return c, nil
	}
}

func (l *lobby) len() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(len(l.conns))
}

// enter lets a connection in that does not publish yet, or says which limit is in the way.
func (l *lobby) enter(c *conn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byAddress[c.address] >= l.conf.MaxConnectionsPerAddress {
		return errAddresses
	}
	if len(l.conns) >= l.conf.MaxConnections && l.pending.Len() == 0 {
		return errCrowded
	}
	if l.pending.Len() >= l.conf.MaxPending || len(l.conns) >= l.conf.MaxConnections {
		oldest := l.pending.Front().Value.(*conn)
		l.remove(oldest)
		oldest.end(errMadeRoom)
	}
	l.byAddress[c.address]++
	l.conns[c] = l.pending.PushBack(c)
	return nil
}

// publishes takes c off the list of those that have to make room.
func (l *lobby) publishes(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.conns[c]; e != nil {
		l.pending.Remove(e)
		l.conns[c] = nil
	}
}

// waits puts it back there.
func (l *lobby) waits(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.conns[c]; ok && e == nil {
		l.conns[c] = l.pending.PushBack(c)
	}
}

func (l *lobby) leave(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(c)
}

// remove forgets c, if it is still known. l.mu is held.
func (l *lobby) remove(c *conn) {
	e, ok := l.conns[c]
	if !ok {
		return
	}
	if e != nil {
		l.pending.Remove(e)
	}
	delete(l.conns, c)
	if l.byAddress[c.address]--; l.byAddress[c.address] == 0 {
		delete(l.byAddress, c.address)
	}
}

// limitAddress is what counts as one address: a home or a server has an IPv6 /64 to itself.
func limitAddress(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}

// noise logs what strangers can cause at will, at most noiseLimit lines in a noisePeriod; the rest is
// counted into the next line that gets through.
type noise struct {
	mu     sync.Mutex
	since  time.Time // guarded by mu
	lines  int       // guarded by mu
	hidden int       // guarded by mu
}

const (
	noiseLimit  = 20
	noisePeriod = 10 * time.Second
)

func (n *noise) log(log *slog.Logger, level slog.Level, msg string, args ...any) {
	n.mu.Lock()
	if now := time.Now(); now.Sub(n.since) > noisePeriod {
		n.since, n.lines = now, 0
	}
	if n.lines++; n.lines > noiseLimit {
		n.hidden++
		n.mu.Unlock()
		return
	}
	hidden := n.hidden
	n.hidden = 0
	n.mu.Unlock()
	if hidden > 0 {
		args = append(args, "lines_left_out_before", hidden)
	}
	log.Log(context.Background(), level, msg, args...)
}
