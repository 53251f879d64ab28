package demo

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pushcart/ingest/rtmp/amf"
	"pushcart/ingest/rtmp/chunk"
	"pushcart/web"
)

// Each product has its cue, at its first picture and nowhere else.
func TestCuesOfTheClip(t *testing.T) {
	c, err := loadClip(clipFLV)
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Duration(len(products)) * each; c.length != want {
		t.Fatalf("the clip lasts %v, its products %v", c.length, want)
	}
	var seen []string
	for n := range 3 * int(c.length.Seconds()*pictureRate) {
		at := time.Duration(n) * time.Second / pictureRate
		text, ok := cueAt(at)
		if ok != (n%90 == 0) {
			t.Fatalf("picture %d: cue %v", n, ok)
		}
		if !ok {
			continue
		}
		var cue struct{ Products []product }
		if err := json.Unmarshal(text, &cue); err != nil || len(cue.Products) != 1 {
			t.Fatalf("picture %d: %s: %v", n, text, err)
		}
		p := cue.Products[0]
		if !strings.HasPrefix(p.Image, web.DemoPrefix) || len(p.Title) < 5 || len(p.About) != len(p.Title) || len(p.Prices) < 5 {
			t.Errorf("picture %d: %s", n, text)
		}
		seen = append(seen, p.ID)
	}
	if len(seen) != 24 || seen[0] != seen[8] || seen[0] == seen[1] {
		t.Errorf("products in order: %v", seen)
	}
}

// A message is one chunk, and what is behind it is read as if it were not there.
func TestCueMessage(t *testing.T) {
	for _, ms := range []uint32{0, 3000, 0xfffffe, 0xffffff, 0x1000000, 0xfffffff0} {
		text, _ := cueAt(0)
		wire := append(setChunkSize(), cueMessage(text, ms)...)
		wire = append(wire, cueMessage([]byte("{}"), ms)...)
		r := chunk.NewReader(bufio.NewReader(bytes.NewReader(wire)), chunk.Limits{Control: 16, Data: 60000, Buffered: 200000})
		for _, want := range []string{string(text), "{}"} {
			m, err := r.Next() // which takes the chunk size for itself
			if err != nil {
				t.Fatalf("%d ms: %v", ms, err)
			}
			values := amf.NewReader(m.Data)
			if m.Type != typeData || m.Timestamp != ms || values.String() != messageName || values.String() != want || values.More() {
				t.Errorf("%d ms: got type %d at %d ms: %q", ms, m.Type, m.Timestamp, m.Data)
			}
		}
	}
}

// setChunkSize is what gomedia's client says first.
func setChunkSize() []byte {
	return []byte{2, 0, 0, 0, 0, 0, 4, chunk.TypeSetChunkSize, 0, 0, 0, 0, 0, 0, byte(chunkSize >> 8), chunkSize & 0xff}
}
