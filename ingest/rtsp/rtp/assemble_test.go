package rtp

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// frames runs packets through an assembler. A packet is written as its timestamp and its payload, with "*"
// for a marker and "-" for packets missing before it: "-3b*". Capitals are pictures.
func frames(packets ...string) []string {
	a := &Assembler{Picture: func(p []byte) bool { return p[0] < 'a' }}
	var out []string
	for _, text := range packets {
		p := Ordered{}
		text, p.Gap = cutPrefix(text, "-")
		text, p.Marker = strings.CutSuffix(text, "*")
		p.Timestamp, p.Payload = uint32(text[0]-'0'), []byte(text[1:])
		a.Push(p, func(f Frame) {
			s := fmt.Sprintf("%d", f.Timestamp)
			for _, p := range f.Payloads {
				s += string(p)
			}
			if f.AfterGap {
				s = "-" + s
			}
			if f.Broken {
				s += "!"
			}
			if f.Continued {
				s += "+"
			}
			out = append(out, s)
		})
		out = append(out, ".") // what comes before it did not have to wait for the next packet
	}
	return out
}

func cutPrefix(s, prefix string) (string, bool) { return strings.CutPrefix(s, prefix) }

func TestAssembler(t *testing.T) {
	for _, tt := range []struct {
		name          string
		packets, want string
	}{
		{"markers earn trust", "1A 1B* 2A* 3A 3B*", ". . 1AB 2A . . 3AB ."},
		{"no markers", "1A 1B 2A 3A", ". . 1AB . 2A ."},
		{"markers on slices", "1A* 1B* 2A* 2B* 3A* 3B* 4A*", ". . 1AB . . 2AB . . 3AB ."},
		{"markers on parameter sets", "1A* 2s* 2p* 2A* 3A*", ". 1A . . 2spA . 3A ."},
		{"lost within", "1A* 2A* 3A -3C* 4A*", ". 1A 2A . . 3! -3C . 4A ."},
		{"lost at the end", "1A* 2A* 3A -4A*", ". 1A 2A . . 3! -4A ."},
		{"lost between", "1A* 2A* -4A* 5A*", ". 1A 2A . -4A . 5A ."},
		{"lost while untrusted", "1A* -2A* 3A*", ". 1A . -2A 3A ."},
		{"lost without markers", "1A 2A -3A 4A", ". 1A . 2! . -3A ."},
		{"trust betrayed", "1A* 2A* 2B* 3A* 4A*", ". 1A 2A . 2B+ . 3A . 4A ."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, want := frames(strings.Fields(tt.packets)...), strings.Fields(tt.want)
			if !slices.Equal(got, want) {
				t.Errorf("%s\ngot  %v\nwant %v", tt.packets, got, want)
			}
		})
	}
}

// TestAssemblerBounds gives up frames that are too long.
func TestAssemblerBounds(t *testing.T) {
	a := &Assembler{}
	var got []Frame
	keep := func(f Frame) { got = append(got, f) }
	payload := make([]byte, 60_000)
	for range MaxFrameBytes/len(payload) + 2 {
		a.Push(Ordered{Packet: Packet{Timestamp: 1, Payload: payload}}, keep)
	}
	for range maxFramePackets + 1 {
		a.Push(Ordered{Packet: Packet{Timestamp: 2, Payload: payload[:1]}}, keep)
	}
	a.Push(Ordered{Packet: Packet{Timestamp: 3, Payload: payload[:1]}}, keep)
	for _, f := range got {
		if !f.Broken || f.Payloads != nil {
			t.Errorf("a frame of %d packets came through", len(f.Payloads))
		}
	}
	if len(got) != 2 {
		t.Errorf("%d frames", len(got))
	}
}
