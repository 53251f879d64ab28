package config

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// The example says "every key, with its default". So it does.
func TestExample(t *testing.T) {
	c := Default()
	d := &decoder{file: "example.yaml", root: reflect.TypeFor[Config](), set: make(map[string]position), bad: make(map[string]bool)}
	v := reflect.ValueOf(&c).Elem()
	d.group(v, "", d.parse([]byte(Example)))
	if len(d.errs) > 0 {
		t.Fatal(d.errs)
	}
	if _, err := load("example.yaml", []byte(Example), nil); err != nil {
		t.Fatal(err)
	}
	got, want := c.Keys(), Default().Keys()
	for i, k := range want {
		if _, ok := d.set[k.Key]; !ok && !strings.HasPrefix(k.Key, "latency.") {
			t.Errorf("%s is not in the example", k.Key)
		}
		if got[i].Value != k.Value {
			t.Errorf("%s is %s in the example; its default is %s", k.Key, got[i].Value, k.Value)
		}
	}
	// Keys of a group that has a short form, and of the groups in lists, are shown in comments.
	for _, name := range []string{"part", "hold_back", "segment", "name", "key", "source", "transport", "on_demand", "date", "insecure_tls", "match", "rungs", "short_side", "bitrate", "frame_rate", "audio_bitrate", "codec", "encoder", "preset", "options"} {
		if !regexp.MustCompile(`(?m)^ *# +(- )?` + name + `: .`).MatchString(Example) {
			t.Errorf("%s is not in a comment of the example", name)
		}
	}
}
