package ingest

import (
	"encoding/json"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"pushcart/ingest/rtmp/amf"
	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

func TestReadMessage(t *testing.T) {
	name, args, ok := readMessage(amf.Append(nil, "onCuePoint", amf.Array{{Name: "name", Value: "wig"}, {Name: "time", Value: 12.5},
		{Name: "parameters", Value: amf.Object{{Name: "ids", Value: amf.List{"a", nil, true}}, {Name: "at", Value: amf.Date(1e12)}}}, {Name: "name", Value: "hat"}}, nil, 2.0))
	want := []any{map[string]any{"name": "hat", "time": 12.5, "parameters": map[string]any{"ids": []any{"a", nil, true}, "at": 1e12}}, nil, 2.0}
	if !ok || name != "onCuePoint" || !reflect.DeepEqual(args, want) {
		t.Errorf("%q %v %v", name, args, ok)
	}
	for _, payload := range [][]byte{nil, amf.Append(nil, ""), amf.Append(nil, 1.0), append(amf.Append(nil, "onText"), 3, 0, 9)} {
		if name, args, ok := readMessage(payload); ok {
			t.Errorf("%x is %q %v", payload, name, args)
		}
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add(amf.Append(nil, "onTextData", amf.Array{{Name: "type", Value: "Text"}, {Name: "text", Value: "wig-1"}}))
	f.Add(amf.Append(nil, "onCuePoint", amf.Object{{Name: "a", Value: amf.List{amf.Date(1), amf.Object{}}}}, nil, true))
	f.Fuzz(func(t *testing.T, payload []byte) {
		name, args, ok := readMessage(payload)
		if !ok {
			return
		}
		if _, err := json.Marshal(args); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	})
}

// heard is what hosts have said.
type heard map[string]time.Duration

func (h heard) HostMessage(_ *stream.Stream, name string, _ []any, at time.Duration) { h[name] = at }

// What the host says is heard at its time, also before the first picture, and never on behalf of others.
func TestHostMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh, h := newShow(t), make(heard)
		d := sh.desk()
		d.Messages = h
		say := func(s *Session, name string, ms int64) {
			track, au := mediatest.Data(3, ms, amf.Append(nil, name, "x"))
			announce(t, s, track)
			if err := s.Write(au); err != nil {
				t.Fatal(err)
			}
		}
		host, fr := sh.open(d, "a", ""), sh.open(d, "a@fr", "")
		say(host, "early", 0)
		say(host, "onMetaData", 0)
		late := mediatest.Video{Timescale: 1000, Start: 500}
		announce(t, host, late.Track())
		announce(t, fr, voice.Track())
		all := late.Units(90)
		play(t, host, all[:60])
		say(host, "meanwhile", all[59].DTS+10)
		say(fr, "from an interpreter", 0)
		play(t, host, all[60:])
		first, last := media.Duration(sh.units(1)[0].PTS, 90000), media.Duration(sh.units(1)[59].PTS, 90000)
		if len(h) != 2 || h["early"] != first || (h["meanwhile"]-last-10*time.Millisecond).Abs() > time.Millisecond {
			t.Errorf("heard %v; the pictures were at %v and %v", h, first, last)
		}
	})
}
