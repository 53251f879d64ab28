package lobby

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// knock is a connection from an address, as the lobby gets it, and its other end.
func knock(t *testing.T, from string) (net.Conn, net.Conn) {
	t.Helper()
	there, here := net.Pipe()
	t.Cleanup(func() { there.Close() })
	return visitor{here, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from))}, there
}

type visitor struct {
	net.Conn
	from net.Addr
}

func (v visitor) RemoteAddr() net.Addr { return v.from }

// enter lets one in.
func enter(t *testing.T, l *Lobby, from string) *Conn {
	t.Helper()
	nc, _ := knock(t, from)
	c, err := l.Enter(nc)
	if err != nil {
		t.Fatalf("%s: %v", from, err)
	}
	return c
}

func TestLimits(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	t.Run("per address", func(t *testing.T) {
		l := New("x", Limits{Connections: 9, PerAddress: 2, Pending: 9}, quiet)
		first := enter(t, l, "[2001:db8::1]:1")
		enter(t, l, "[2001:db8::2]:1").Publishes()
		enter(t, l, "10.0.0.1:1")
		nc, _ := knock(t, "[2001:db8::3]:1")
		if _, err := l.Enter(nc); err != errPerAddress {
			t.Errorf("a third connection: %v", err)
		}
		first.Close()
		first.Close()
		if _, err := l.Enter(nc); err != nil || l.Len() != 3 {
			t.Errorf("when one has left: %v; %d are open", err, l.Len())
		}
	})
	t.Run("in all", func(t *testing.T) {
		l := New("x", Limits{Connections: 2, PerAddress: 9, Pending: 9}, quiet)
		enter(t, l, "10.0.0.1:1").Publishes()
		host := enter(t, l, "10.0.0.1:2")
		host.Publishes()
		host.Publishes()
		nc, _ := knock(t, "10.0.0.1:3")
		if _, err := l.Enter(nc); err != errCrowded {
			t.Errorf("a third connection: %v", err)
		}
		host.Waits() // and may have to make room
		host.Waits()
		if _, err := l.Enter(nc); err != nil || l.Len() != 2 || host.Why() != errMadeRoom {
			t.Errorf("when one does not publish any more: %v; %d are open, and it goes for %v", err, l.Len(), host.Why())
		}
		host.Waits()
		host.Publishes()
		host.Close()
		if l.Len() != 2 || l.pending.Len() != 1 {
			t.Errorf("%d are open, %d of them pending", l.Len(), l.pending.Len())
		}
	})
	t.Run("who has the most makes room", func(t *testing.T) {
		l := New("x", Limits{Connections: 99, PerAddress: 99, Pending: 5}, quiet)
		first, other := enter(t, l, "10.0.0.1:1"), enter(t, l, "10.0.0.2:1")
		var flood []*Conn
		for range 50 {
			flood = append(flood, enter(t, l, "10.0.0.3:1"))
		}
		late := enter(t, l, "10.0.0.4:1")
		for i, c := range flood {
			if gone := c.Why() != nil; gone != (i < 48) {
				t.Errorf("connection %d of the flood is gone: %v", i, gone)
			}
		}
		if first.Why() != nil || other.Why() != nil || late.Why() != nil || l.Len() != 5 || l.pending.Len() != 5 || len(l.byAddress) != 4 {
			t.Errorf("others had to go: %v, %v, %v; %d are open, %d pending, of %d addresses", first.Why(), other.Why(), late.Why(), l.Len(), l.pending.Len(), len(l.byAddress))
		}
	})
	t.Run("the oldest that does not publish makes room", func(t *testing.T) {
		l := New("x", Limits{Connections: 9, PerAddress: 9, Pending: 2}, quiet)
		host, first := enter(t, l, "10.0.0.1:1"), enter(t, l, "10.0.0.1:2")
		host.Publishes()
		stuck := make(chan error)
		go func() {
			_, err := first.Write([]byte("an answer that nobody reads"))
			stuck <- err
		}()
		enter(t, l, "10.0.0.1:3")
		enter(t, l, "10.0.0.1:4")
		if err := <-stuck; err == nil {
			t.Error("the oldest could write")
		}
		if first.Why() != errMadeRoom || host.Why() != nil || l.Len() != 3 || l.pending.Len() != 2 {
			t.Errorf("the oldest goes for %v, the host for %v; %d are open, %d of them pending", first.Why(), host.Why(), l.Len(), l.pending.Len())
		}
	})
}

// A connection that is to end can't be read, whatever deadline is set for it afterwards; it can be written.
func TestEnd(t *testing.T) {
	l := New("x", Limits{Connections: 1, PerAddress: 1, Pending: 1}, slog.New(slog.DiscardHandler))
	nc, there := knock(t, "10.0.0.1:1")
	c, err := l.Enter(nc)
	if err != nil {
		t.Fatal(err)
	}
	c.End(io.EOF)
	c.End(io.ErrUnexpectedEOF)
	c.ReadUntil(time.Time{})
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || c.Why() != io.EOF {
		t.Errorf("reading: %v; it ends for %v", err, c.Why())
	}
	go c.Write([]byte("bye"))
	b := make([]byte, 3)
	if _, err := io.ReadFull(there, b); err != nil {
		t.Error(err)
	}
}

// troubled is a listener that fails some times before each connection.
type troubled struct {
	net.Listener
	fail  int
	conns []net.Conn
}

func (l *troubled) Accept() (net.Conn, error) {
	if l.fail--; l.fail >= 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	if len(l.conns) == 0 {
		return nil, net.ErrClosed
	}
	nc := l.conns[0]
	l.conns = l.conns[1:]
	return nc, nil
}

// A system without file descriptors, and connections that are turned away, do not end the listener.
func TestAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		l := New("x", Limits{Connections: 1, PerAddress: 1, Pending: 1}, slog.New(slog.NewTextHandler(&text, nil)))
		enter(t, l, "10.0.0.1:1").Publishes()
		crowd, _ := knock(t, "10.0.0.1:2")
		began := time.Now()
		_, err := l.Accept(&troubled{fail: 20, conns: []net.Conn{crowd, crowd}})
		if !errors.Is(err, net.ErrClosed) || l.Accepted.Load() != 2 || l.Refused.Load() != 2 || l.Len() != 1 {
			t.Errorf("%v; %d accepted, %d refused, %d open", err, l.Accepted.Load(), l.Refused.Load(), l.Len())
		}
		if d := time.Since(began); d > 20*time.Second || d < 10*time.Second {
			t.Errorf("20 failures took %v", d)
		}
		if !strings.Contains(text.String(), "x: accept failed") {
			t.Errorf("log: %s", &text)
		}
	})
}

func TestLimitAddress(t *testing.T) {
	same := func(a, b string) bool {
		return limitAddress(netip.MustParseAddr(a)) == limitAddress(netip.MustParseAddr(b))
	}
	if !same("10.0.0.1", "::ffff:10.0.0.1") || same("10.0.0.1", "10.0.0.2") || !same("2001:db8::1", "2001:db8::ffff:2%eth0") || same("2001:db8::1", "2001:db8:0:1::1") {
		t.Error("addresses are counted together that are not, or not those that are")
	}
}

// What strangers can cause fills no log.
func TestNoise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		n := Noise{to: slog.New(slog.NewTextHandler(&text, nil))}
		for range 1000 {
			n.Log(slog.LevelInfo, "knock")
		}
		time.Sleep(noisePeriod + 1)
		n.Log(slog.LevelInfo, "knock")
		if got := strings.Count(text.String(), "knock"); got != noiseLimit+1 || !strings.Contains(text.String(), "lines_left_out_before=980") {
			t.Errorf("%d lines:\n%s", got, &text)
		}
	})
}
