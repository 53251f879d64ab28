package rtmp

import (
	"container/list"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"
)

// Why a connection ends that did nothing wrong.
var (
	errShutdown = errors.New("the server is going down; publish again in a moment")
	errMadeRoom = errors.New("it did not publish, and newer connections needed the room")
)

// lobby knows the open connections and keeps their number within bounds.
type lobby struct {
	conf Config

	mu        sync.Mutex
	conns     map[*conn]*list.Element // guarded by mu; the element is nil once it publishes
	byAddress map[netip.Prefix]int    // guarded by mu
	pending   list.List               // of *conn, oldest first; guarded by mu
}

func newLobby(conf Config) *lobby {
	return &lobby{conf: conf, conns: make(map[*conn]*list.Element), byAddress: make(map[netip.Prefix]int)}
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
		return errors.New("its address has as many connections as max_connections_per_address allows")
	}
	if len(l.conns) >= l.conf.MaxConnections && l.pending.Len() == 0 {
		return errors.New("there are as many connections as max_connections allows")
	}
	if l.pending.Len() >= l.conf.MaxPending || len(l.conns) >= l.conf.MaxConnections {
		oldest := l.pending.Front()
		l.remove(oldest.Value.(*conn))
		oldest.Value.(*conn).interrupt(errMadeRoom)
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

// interrupt makes the connections of one listener end by themselves.
func (l *lobby) interrupt(protocol string, why error) {
	for _, c := range l.of(protocol) {
		c.interrupt(why)
	}
}

// close closes the sockets of those that have not.
func (l *lobby) close(protocol string) {
	for _, c := range l.of(protocol) {
		c.nc.Close()
	}
}

func (l *lobby) of(protocol string) []*conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	var conns []*conn
	for c := range l.conns {
		if c.protocol == protocol {
			conns = append(conns, c)
		}
	}
	return conns
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
