// Package lobby is where connections stand before their hosts are let in. It keeps their number within bounds,
// whoever opens them, and makes them go. Every door that hosts connect to (ingest/rtmp, ingest/rtsp) has one for
// all its listeners. What is said on a connection, and how long that may take, is the door's.
package lobby

import (
	"container/list"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Limits bound the connections in a lobby. None is zero.
type Limits struct {
	// Connections bounds them in all.
	Connections int
	// PerAddress bounds those from one IPv4 address or one IPv6 /64.
	PerAddress int
	// Pending bounds those that do not publish. When there are more, the oldest makes room of the address that has
	// the most of them: whoever opens a thousand connections is in nobody's way but his own.
	Pending int
}

// Why a connection does not come in, or has to go though it did nothing wrong.
var (
	errPerAddress = errors.New("its address has as many connections as max_connections_per_address allows")
	errCrowded    = errors.New("there are as many connections as max_connections allows")
	errMadeRoom   = errors.New("it did not publish, and newer connections needed the room")
)

// Lobby knows the open connections. Its methods are safe for concurrent use.
type Lobby struct {
	// Noise is for what is logged of connections that publish nothing.
	Noise Noise
	// Accepted counts the connections that there have been, and Refused those that were turned away at once.
	Accepted, Refused atomic.Int64

	protocol string
	limits   Limits

	mu        sync.Mutex
	open      int                     // guarded by mu
	byAddress map[netip.Prefix]*tally // guarded by mu
	pending   list.List               // of *Conn, oldest first; guarded by mu
}

// tally counts the connections of an address.
type tally struct{ open, pending int }

// New returns an empty lobby. Its lines in the log begin with the protocol's name.
func New(protocol string, limits Limits, log *slog.Logger) *Lobby {
	return &Lobby{Noise: Noise{to: log}, protocol: protocol, limits: limits, byAddress: make(map[netip.Prefix]*tally)}
}

// Len returns the number of connections.
func (l *Lobby) Len() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(l.open)
}

// Accept returns the next connection of ln that may come in. It waits out what makes accepting fail for a while;
// an error means that ln is closed.
func (l *Lobby) Accept(ln net.Listener) (*Conn, error) {
	const firstPause, longestPause = 5 * time.Millisecond, time.Second
	pause := firstPause
	for {
		nc, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		if err != nil {
			// Out of file descriptors, most likely: wait for some to be given back.
			l.Noise.Log(slog.LevelError, l.protocol+": accept failed", "err", err)
			time.Sleep(pause)
			pause = min(2*pause, longestPause)
			continue
		}
		pause = firstPause
		l.Accepted.Add(1)
		c, err := l.Enter(nc)
		if err == nil {
			return c, nil
		}
		l.Refused.Add(1)
		l.Noise.Log(slog.LevelWarn, l.protocol+": connection refused", "remote", nc.RemoteAddr(), "why", err)
		nc.Close()
	}
}

// Enter lets a connection in that does not publish yet, or says which limit is in the way.
func (l *Lobby) Enter(nc net.Conn) (*Conn, error) {
	c := newConn(nc, l)
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.byAddress[c.address]
	if of != nil && of.open >= l.limits.PerAddress {
		return nil, errPerAddress
	}
	if l.open >= l.limits.Connections && l.pending.Len() == 0 {
		return nil, errCrowded
	}
	if l.pending.Len() >= l.limits.Pending || l.open >= l.limits.Connections {
		c := l.dispensable()
		l.remove(c)
		c.cut(errMadeRoom)
	}
	if of = l.byAddress[c.address]; of == nil { // or gone with the one who has made room
		of = new(tally)
		l.byAddress[c.address] = of
	}
	l.open++
	of.open++
	c.inside, c.tally = true, of
	l.seat(c)
	return c, nil
}

// dispensable returns who has to make room, of at least one that could. l.mu is held.
func (l *Lobby) dispensable() *Conn {
	found := l.pending.Front()
	for e := found.Next(); e != nil; e = e.Next() {
		if e.Value.(*Conn).tally.pending > found.Value.(*Conn).tally.pending {
			found = e
		}
	}
	return found.Value.(*Conn)
}

// remove forgets c, if it is still known. l.mu is held.
func (l *Lobby) remove(c *Conn) {
	if !c.inside {
		return
	}
	l.unseat(c)
	c.inside = false
	l.open--
	if c.tally.open--; c.tally.open == 0 {
		delete(l.byAddress, c.address)
	}
}

// seat puts c behind the others that have to make room. l.mu is held.
func (l *Lobby) seat(c *Conn) {
	c.place = l.pending.PushBack(c)
	c.tally.pending++
}

// unseat takes c off the list of those that have to make room. l.mu is held.
func (l *Lobby) unseat(c *Conn) {
	if c.place != nil {
		l.pending.Remove(c.place)
		c.place = nil
		c.tally.pending--
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
