package harness

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"time"
)

// flow is what comes and goes by one UDP port of a relay. One goroutine sends all its packets, so that they come
// in the order that it notes.
type flow struct {
	relay        *Relay
	conn         *net.UDPConn
	host, server netip.AddrPort
	media        bool // packets of RTP, which the weather may damage
	pictures     bool // those of the first track

	waiting []delayed // in the order in which they are due
	began   bool
	first   uint16 // sequence number
	stamp   uint32 // of the first picture
	passed  map[uint16]bool
	next    uint16 // the row is whole up to here
	newest  uint16 // that has been sent
}

// maxPictures bounds the pictures that a relay keeps count of: some minutes of them.
const maxPictures = 1 << 14

type delayed struct {
	due    time.Time
	packet []byte
}

// pair opens two flows at an even port and the next, for a host's two ports.
func (r *Relay) pair(rtp, rtcp string) (even, odd *flow, err error) {
	for range 100 {
		var a, b *net.UDPConn
		if a, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
			continue
		}
		port := a.LocalAddr().(*net.UDPAddr).Port
		if port%2 == 0 {
			b, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port + 1})
		}
		if b == nil {
			a.Close()
			continue
		}
		const buffer = 4 << 20
		a.SetReadBuffer(buffer) // the kernel gives what it may; KernelDrops knows whether it was enough
		r.keep(a, b)
		return &flow{relay: r, conn: a, host: loopback(rtp), passed: make(map[uint16]bool)}, &flow{relay: r, conn: b, host: loopback(rtcp)}, nil
	}
	return nil, nil, errors.Join(errors.New("no two UDP ports for the relay"), err)
}

// loopback is a port of this machine.
func loopback(port string) netip.AddrPort {
	n, _ := strconv.ParseUint(port, 10, 16)
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(n))
}

func (f *flow) port() int { return f.conn.LocalAddr().(*net.UDPAddr).Port }

// run passes packets on until the relay is closed.
func (f *flow) run() {
	buf := make([]byte, 1<<16)
	for {
		var wake time.Time
		for len(f.waiting) > 0 {
			if now := time.Now(); f.waiting[0].due.After(now) {
				wake = f.waiting[0].due
				break
			}
			f.send(f.waiting[0].packet)
			f.waiting = f.waiting[1:]
		}
		f.conn.SetReadDeadline(wake)
		n, from, err := f.conn.ReadFromUDPAddrPort(buf)
		switch from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port()); {
		case errors.Is(err, os.ErrDeadlineExceeded), err == nil && from != f.host && from != f.server:
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // a port that nobody listens on any more
		case from == f.server:
			f.conn.WriteToUDPAddrPort(buf[:n], f.host)
		case !f.media || n < 12:
			f.conn.WriteToUDPAddrPort(buf[:n], f.server)
		default:
			f.take(slices.Clone(buf[:n]))
		}
	}
}

// take does to a packet of RTP what the weather says.
func (f *flow) take(packet []byte) {
	r, now := f.relay, time.Now()
	number, stamp := binary.BigEndian.Uint16(packet[2:]), binary.BigEndian.Uint32(packet[4:])
	r.mu.Lock()
	defer r.mu.Unlock()
	if !f.began {
		f.began, f.first, f.stamp = true, number, stamp
	}
	number -= f.first
	for f.pictures && uint32(len(r.whole)) <= (stamp-f.stamp)/(90000/fps) && len(r.whole) < maxPictures {
		r.whole = append(r.whole, true)
	}
	r.done.Packets++
	at := len(r.whole) - 1
	if w := r.weather; at >= r.from && at < r.to {
		if r.random.Float64() < w.Loss {
			r.done.Lost++
			if f.pictures {
				r.whole[at] = false
			}
			f.pass(number)
			return
		}
		if r.random.Float64() < w.Twice {
			r.done.Twice++
			f.keepUp(now, packet)
		}
		f.keepUp(now, packet)
		return
	}
	f.wait(now, packet)
}

// keepUp sends a packet some time later, so that others may overtake it.
func (f *flow) keepUp(now time.Time, packet []byte) {
	f.wait(now.Add(time.Duration(f.relay.random.Float64()*float64(f.relay.weather.Jitter))), packet)
}

func (f *flow) wait(due time.Time, packet []byte) {
	i, _ := slices.BinarySearchFunc(f.waiting, due, func(d delayed, due time.Time) int {
		if d.due.After(due) {
			return 1
		}
		return -1 // of those that are due at the same time, the first goes first
	})
	f.waiting = slices.Insert(f.waiting, i, delayed{due, packet})
}

// send sends a packet to the server.
func (f *flow) send(packet []byte) {
	number := binary.BigEndian.Uint16(packet[2:]) - f.first
	f.relay.mu.Lock()
	if !f.passed[number] {
		if number == f.next && f.newest > number {
			f.relay.done.Overtaken++
		}
		f.newest = max(f.newest, number)
		f.pass(number)
	}
	f.relay.mu.Unlock()
	f.conn.WriteToUDPAddrPort(packet, f.server)
}

// pass notes that a packet need not be waited for any more.
func (f *flow) pass(number uint16) {
	f.passed[number] = true
	for f.passed[f.next] {
		f.next++
	}
}
