package fmp4_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"pushcart/packager/fmp4"
)

// cue is an overlay cue at frame 37037 of a show with 30 frames a second in ticks of 1/90000 s.
var cue = fmp4.Event{
	Timescale: 90000, PresentationTime: 111111000, Duration: 20 * 90000, ID: 1042,
	Scheme: fmp4.SchemeID3, Value: "https://example.com/overlay/1",
}

const cueText = `{"v":1,"id":"c1042","r":1,"op":"show","ms":20000,"h":"9f3c2a7b61d0e4c8","n":"Café €"}`

// The bytes of the vector were checked with mp4ff and with hls.js's ID3 decoder.
func TestEventBytes(t *testing.T) {
	text, err := os.ReadFile("testdata/emsg.hex")
	if err != nil {
		t.Fatal(err)
	}
	want, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatal(err)
	}
	e := cue
	e.Data = fmp4.AppendID3TXXX(nil, "com.example.overlay", cueText)
	f := fmp4.Fragment{TrackID: 1, Events: []fmp4.Event{e}}
	got := f.Append(nil)[:binary.BigEndian.Uint32(f.Append(nil))]
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%swant\n%s", hex.Dump(got), hex.Dump(want))
	}
}

func TestID3(t *testing.T) {
	for _, c := range []struct{ description, value string }{
		{"com.example.overlay", cueText},
		{"", ""},
		{"d", strings.Repeat("x", 6000)}, // sizes of more than seven bits
		{"d", strings.Repeat("\u20AC", 70000)},
	} {
		tag := fmp4.AppendID3TXXX([]byte("x"), c.description, c.value)[1:]
		for _, b := range tag[6:10] {
			if b > 0x7F {
				t.Errorf("size % x is not syncsafe", tag[6:10])
			}
		}
		description, value, err := fmp4.ReadID3TXXX(tag)
		if err != nil || description != c.description || value != c.value {
			t.Errorf("read back %q, %d bytes, %v; want %q, %d bytes", description, len(value), err, c.description, len(c.value))
		}
	}
	tag := fmp4.AppendID3TXXX(nil, "cut\x00off", "v")
	if description, value, err := fmp4.ReadID3TXXX(tag); description != "cut" || value != "v" || err != nil {
		t.Errorf("a description with NUL is read back as %q, %q, %v", description, value, err)
	}
}

// A NUL in a string of an event would shift everything behind it.
func TestEventStrings(t *testing.T) {
	f := fmp4.Fragment{Events: []fmp4.Event{{Scheme: "urn:a\x00b", Value: "\x00c", Data: []byte("data")}}}
	b := f.Append(nil)
	if len(b) != f.Size() {
		t.Fatalf("%d bytes, Size says %d", len(b), f.Size())
	}
	p, err := fmp4.ReadFragment(b)
	if err != nil {
		t.Fatal(err)
	}
	if e := p.Events[0]; e.Scheme != "urn:a" || e.Value != "" || string(e.Data) != "data" {
		t.Errorf("event %+v", e)
	}
}
