package rtp

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// row runs packets through a sequencer and writes down what comes out: "g" before a number says that
// something is missing before it, "r" that a new row begins.
func row(s *Sequencer, packets ...Packet) []string {
	var out []string
	note := func(p Ordered) {
		mark := ""
		switch {
		case p.Restart:
			mark = "r"
		case p.Gap:
			mark = "g"
		}
		out = append(out, mark+string(p.Payload))
	}
	for _, p := range packets {
		s.Expire(p.Arrived, note)
		s.Push(p, note)
	}
	s.Expire(time.Unix(1e6, 0), note)
	return out
}

// at makes packets with the given sequence numbers, a millisecond apart.
func at(from time.Duration, ssrc uint32, numbers ...uint16) []Packet {
	packets := make([]Packet, len(numbers))
	for i, n := range numbers {
		packets[i] = Packet{Sequence: n, SSRC: ssrc, Payload: []byte{'a' + byte(n%26)}, Arrived: time.Unix(1000, 0).Add(from + time.Duration(i)*time.Millisecond)}
	}
	return packets
}

func TestSequencer(t *testing.T) {
	const wait = 100 * time.Millisecond
	for _, tt := range []struct {
		name                            string
		wait                            time.Duration
		packets                         []Packet
		want                            []string
		lost, late, reordered, restarts int64
	}{
		{"in order", wait, at(0, 1, 0, 1, 2), []string{"a", "b", "c"}, 0, 0, 0, 0},
		{"wrap", wait, at(0, 1, 65534, 65535, 0, 1), []string{"o", "p", "a", "b"}, 0, 0, 0, 0},
		{"swapped", wait, at(0, 1, 0, 2, 1, 3), []string{"a", "b", "c", "d"}, 0, 0, 1, 0},
		{"far out of order", wait, at(0, 1, 0, 5, 4, 3, 2, 1, 6), []string{"a", "b", "c", "d", "e", "f", "g"}, 0, 0, 1, 0},
		{"twice", wait, at(0, 1, 0, 1, 1, 3, 3, 2), []string{"a", "b", "c", "d"}, 0, 2, 1, 0},
		{"lost", wait, at(0, 1, 0, 1, 3, 4), []string{"a", "b", "gd", "e"}, 1, 0, 0, 0},
		{"lost twice", wait, at(0, 1, 0, 2, 4, 5), []string{"a", "gc", "ge", "f"}, 2, 0, 0, 0},
		{"lost by TCP", 0, at(0, 1, 0, 1, 4, 5), []string{"a", "b", "ge", "f"}, 2, 0, 0, 0},
		{"too late", wait, slices.Concat(at(0, 1, 0, 2), at(time.Second, 1, 3, 1)), []string{"a", "gc", "d"}, 1, 1, 0, 0},
		{"new SSRC", wait, slices.Concat(at(0, 1, 0, 1), at(time.Second, 2, 700, 701, 702)), []string{"a", "b", "ry", "z", "a"}, 0, 0, 0, 1},
		{"a stray SSRC", wait, slices.Concat(at(0, 1, 0), at(0, 2, 9), at(0, 1, 1, 2)), []string{"a", "b", "c"}, 0, 1, 0, 0},
		{"new numbers", wait, slices.Concat(at(0, 1, 0, 1), at(time.Second, 1, 30000, 30001)), []string{"a", "b", "rw", "x"}, 0, 0, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &Sequencer{Wait: tt.wait}
			if got := row(s, tt.packets...); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if s.Lost != tt.lost || s.Late != tt.late || s.Reordered != tt.reordered || s.Restarts != tt.restarts {
				t.Errorf("lost %d, late %d, reordered %d, restarts %d", s.Lost, s.Late, s.Reordered, s.Restarts)
			}
		})
	}
}

// TestSequencerShuffled loses and delays packets at random: what comes out is in order, and all that came in
// time is there.
func TestSequencerShuffled(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const n, wait = 5000, 100 * time.Millisecond
	var packets []Packet
	lost := 0
	for i := range n {
		if i > 0 && i < n-1 && random.IntN(50) == 0 {
			lost++
			continue
		}
		p := at(time.Duration(i)*time.Millisecond, 1, uint16(i))[0]
		if i > 0 {
			p.Arrived = p.Arrived.Add(time.Duration(random.Int64N(int64(wait) * 9 / 10)))
		}
		p.Timestamp = uint32(i)
		packets = append(packets, p)
	}
	slices.SortStableFunc(packets, func(a, b Packet) int { return a.Arrived.Compare(b.Arrived) })
	s := &Sequencer{Wait: wait}
	next, gaps := uint32(0), 0
	check := func(p Ordered) {
		if p.Gap != (p.Timestamp != next) || p.Timestamp < next {
			t.Fatalf("packet %d comes where %d is due, gap %v", p.Timestamp, next, p.Gap)
		}
		gaps += int(p.Timestamp - next)
		next = p.Timestamp + 1
	}
	for _, p := range packets {
		s.Expire(p.Arrived, check)
		s.Push(p, check)
	}
	s.Expire(time.Unix(1e6, 0), check)
	if gaps != lost || s.Lost != int64(lost) || s.Late != 0 || next != n {
		t.Errorf("%d packets are missing, %d were counted as lost, %d as late; %d were lost, and the last is %d", gaps, s.Lost, s.Late, lost, next)
	}
}

// TestSequencerBounds holds no more than it may.
func TestSequencerBounds(t *testing.T) {
	s := &Sequencer{Wait: time.Hour}
	n := 0
	for i := range 3 * maxHeld {
		if i == 1 {
			continue
		}
		s.Push(at(0, 1, uint16(i))[0], func(Ordered) { n++ })
		if len(s.held) > maxHeld {
			t.Fatalf("%d packets are held", len(s.held))
		}
	}
	if n < 2*maxHeld || s.Lost != 1 {
		t.Errorf("%d packets came out, %d lost", n, s.Lost)
	}
}
