package cue

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// say has the host's encoder send a message, at the time of its newest frame.
func (s *stage) say(name string, args ...any) {
	s.Helper()
	s.book.HostMessage(s.pub.Stream(), name, args, s.pub.Stream().Latest())
	synctest.Wait()
}

// amfTime makes a time of what an AMF object holds in tests.
type amf = map[string]any

func TestHostMessages(t *testing.T) {
	for _, c := range []struct {
		about string
		name  string
		args  []any
		want  string // what viewers see, or "" for nothing
		doc   string // part of what it says
	}{
		{"our own tools", "cue", []any{`{"id":"a","products":[{"id":"sku","title":"Wig"}]}`}, "a.1 2s-…", `"title":{"und":"Wig"}`},
		{"ffmpeg's subtitles", "onTextData", []any{amf{"type": "Text", "text": "Good evening"}}, "c.1 2s-7s", `"text":{"und":"Good evening"}`},
		{"ffmpeg's subtitles with JSON", "onTextData", []any{amf{"type": "Text", "text": ` {"id":"a","kind":"hide","duration":"3s"}` + "\x00"}}, "a.1 2s-5s", `"kind":"hide"`},
		{"captions", "onTextData", []any{amf{"text": "Bonsoir", "language": "fr", "trackid": 1.0}}, "c.1 2s-7s", `"text":{"fr":"Bonsoir"}`},
		{"a cue point of AMF values", "onCuePoint", []any{amf{"name": "wig-1", "type": "event", "time": 2.0, "parameters": amf{"products": []any{amf{"id": "sku", "stock": 3.0, "prices": amf{"USD": amf{"amount": 3999.0}}}}}}}, "wig-1.1 2s-…", `"prices":{"USD":{"amount":3999}},"stock":3`},
		{"a cue point with JSON", "onCuePoint", []any{amf{"name": "wig-1", "parameters": amf{"cue": `{"kind":"hide"}`}}}, "wig-1.1 2s-…", ""},
		{"a cue point with a name", "onCuePoint", []any{amf{"name": "Hello", "time": 1.5, "parameters": amf{"shop": 7.0}}}, "c.1 2s-7s", `"text":{"und":"Hello"},"data":{"shop":7}`},
		{"AMF values", "cue", []any{nil, 3.0, amf{"kind": "hide", "id": "a", "at": "+3s"}}, "a.1 5s-…", ""},
		{"an item's name", "onCuePoint", []any{amf{"name": "item"}}, "item.1 2s-…", `"text":{"und":"planned"}`},
		{"an item's name as text", "onTextData", []any{amf{"text": "item"}}, "item.1 2s-…", `"text":{"und":"planned"}`},
		{"an item's id", "cue", []any{`{"id":"item"}`}, "item.1 2s-…", `"text":{"und":"planned"}`},
		{"next", "onCuePoint", []any{amf{"name": "next"}}, "item.1 2s-…", ""},
		{"next as an order", "cue", []any{`{"op":"next"}`}, "item.1 2s-…", ""},
		{"an unknown order", "cue", []any{`{"op":"explode"}`}, "", ""},
		{"an unknown id", "cue", []any{`{"id":"unknown"}`}, "", ""},
		{"JSON that is none", "cue", []any{`{"id":`}, "", ""},
		{"a cue that is none", "cue", []any{`{"kind":"product"}`}, "", ""},
		{"another name", "onStatus", []any{`{"kind":"hide"}`}, "", ""},
		{"nothing", "cue", nil, "", ""},
		{"numbers", "cue", []any{1.0, true, nil}, "", ""},
		{"an empty text", "onTextData", []any{amf{"type": "Text", "text": " "}}, "", ""},
	} {
		t.Run(c.about, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, Config{})
				s.load(`[{"id":"item","text":"planned"}]`)
				s.live()
				s.play(time.Second)
				s.say(c.name, c.args...)
				got := s.marks.shown()
				id, _, _ := strings.Cut(got, ".")
				if strings.HasPrefix(id, "c-") { // a name of our own making
					got = "c" + strings.TrimPrefix(got, id)
				}
				if got != c.want {
					t.Errorf("viewers see %q, want %q", got, c.want)
				}
				if doc, _ := s.timeline().Content(id, 1, ""); !strings.Contains(string(doc), c.doc) {
					t.Errorf("it says %s, want %s", doc, c.doc)
				}
				n := s.book.Stats()
				if counted := n.Messages + n.MessagesIgnored + n.MessagesRefused; counted != 1 || (n.Messages == 1) != (c.want != "") {
					t.Errorf("%+v", n)
				}
				s.stop()
			})
		})
	}
}

// The same product again, a change of it, and the product before: what hosts' keys send.
func TestHostRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.live()
		s.play(time.Second)
		for _, id := range []string{"a", "a", "b", "a"} {
			s.say("cue", `{`+product(id)+`}`)
			s.play(time.Second)
		}
		s.wantShown("a.1 2s-4s, b.1 4s-5s, a.2 5s-…")
		s.say("cue", `{`+strings.Replace(product("a"), "3999", "2999", 1)+`}`)
		s.wantShown("a.1 2s-4s, b.1 4s-5s, a.2 5s-6s, a.3 6s-…")
		s.play(time.Second)
		s.say("cue", `{"op":"undo","id":"a"}`)
		s.wantShown("a.1 2s-4s, b.1 4s-5s, a.2 5s-6s, a.3 6s-7s, b.2 7s-…")
		s.stop()
	})
}

// A message is as late as its frame: an uplink that stalls does not make it wrong.
func TestHostStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.live()
		s.play(time.Second)
		time.Sleep(5 * time.Second)
		s.say("cue", `{`+product("a")+`}`)
		s.wantShown("a.1 2s-…")
		s.create(`{` + product("b") + `}`) // now is now
		s.wantShown("a.1 2s-7s, b.1 7s-…")
		s.stop()
	})
}

func TestHostLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{Messages: []Message{{Name: "myCue", Slot: "low", Kind: "caption", Duration: time.Second}}})
		s.live()
		s.play(time.Second)
		for i := range 1000 {
			s.book.HostMessage(s.pub.Stream(), "myCue", []any{fmt.Sprint("text ", i)}, s.pub.Stream().Latest())
		}
		synctest.Wait()
		n := s.book.Stats()
		if n.Messages != Burst || n.MessagesDropped == 0 || n.Messages+n.MessagesRefused+n.MessagesDropped != 1000 {
			t.Errorf("%+v", n)
		}
		for _, c := range s.timeline().List().Cues {
			if c.Kind != "caption" || c.Slot != "low" {
				t.Errorf("%+v", c)
			}
		}
		s.stop()
	})
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{Messages: []Message{}})
		s.live()
		s.say("cue", `{"kind":"hide"}`)
		if n := s.book.Stats(); n.Messages != 0 || n.MessagesIgnored != 1 {
			t.Errorf("they are off: %+v", n)
		}
		s.stop()
	})
}

// FuzzMessage makes messages of JSON: of an AMF message's values. Whatever comes of one can be a cue.
func FuzzMessage(f *testing.F) {
	f.Add("onCuePoint", `[{"name":"wig-1","type":"event","time":2,"parameters":{"products":[{"id":"sku","stock":3}]}}]`)
	f.Add("onTextData", `[{"type":"Text","text":"{\"kind\":\"hide\"}"}]`)
	f.Add("onTextData", `[{"text":"hello","language":"fr"}]`)
	f.Add("cue", `["{\"op\":\"undo\",\"id\":\"a\"}"]`)
	f.Add("cue", `[null,1.5e300,{"kind":"x","data":[{"a":1e21},[[[["x"]]]]]}]`)
	f.Add("cue", `[{"until":"+10m","text":{"en":"x"}}]`)
	f.Add("onCuePoint", `[{"name":"\u0000","parameters":{"json":"{}"}}]`)
	rules := Config{}.WithDefaults().Messages
	f.Fuzz(func(t *testing.T, name, text string) {
		var args []any
		if json.Unmarshal([]byte(text), &args) != nil {
			args = []any{text} // as raw bytes: AMF does not check its strings
		}
		w, ok, err := understand(rules, name, args)
		if err != nil || !ok || w.op != "" || w.only {
			return
		}
		doc := w.script.document("x", 1)
		if _, err := parseScript(bytes.Replace(doc, []byte(`"rev":1,`), nil, 1)); err != nil && len(doc) <= MaxBytes {
			t.Errorf("%q makes %s, which is no cue: %v", text, doc, err)
		}
	})
}
