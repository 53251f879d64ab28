package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pushcart/auth"
	"pushcart/packager"
)

func TestNoFileIsAConfiguration(t *testing.T) {
	t.Chdir(t.TempDir())
	l, err := Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(l.Config, Default()) || l.File != "" {
		t.Errorf("got %+v", l)
	}
	var errs Errors
	if _, err := Load("missing.yml", nil); !errors.As(err, &errs) || errs[0].Source != "missing.yml" {
		t.Errorf("a file that was named and is missing: got %v", err)
	}
	if err := os.WriteFile(DefaultFile, []byte("window: 5m\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err = Load("", nil); err != nil || l.File != DefaultFile || l.Packager.Window != 5*time.Minute {
		t.Errorf("with a default file: got %+v, %v", l, err)
	}
}

func TestLoad(t *testing.T) {
	low, _ := packager.Preset("low")
	for _, tt := range []struct {
		what, file string
		want       func(*Config)
	}{
		{"empty", "", func(c *Config) {}},
		{"comments only", "# nothing\n", func(c *Config) {}},
		{"byte order mark and CRLF", "\ufeffwindow: 1m\r\nreconnect_window: 10s\r\n", func(c *Config) {
			c.Packager.Window = time.Minute
			c.Stream.ReconnectWindow = 10 * time.Second
		}},
		{"one document", "# comment\n---\nwindow: 1m\n", func(c *Config) { c.Packager.Window = time.Minute }},
		{"empty group", "auth:\n", func(c *Config) {}},
		{"preset", "latency: lowest", func(c *Config) { c.Packager.Latency, _ = packager.Preset("lowest") }},
		{"latency as a group", "latency:\n  part: 400ms\n  hold_back: 1.3s\n", func(c *Config) {
			c.Packager.Latency = packager.Latency{Part: 400 * time.Millisecond, HoldBack: 1300 * time.Millisecond, Segment: low.Segment}
		}},
		{"latency in braces", "latency: {part: 400ms, hold_back: 1.3s, segment: 4s}", func(c *Config) {
			c.Packager.Latency = packager.Latency{Part: 400 * time.Millisecond, HoldBack: 1300 * time.Millisecond, Segment: 4 * time.Second}
		}},
		{"list of groups", "auth:\n  keys:\n    - name: a\n      key: \"01234567\"\n    - {name: b, key: abcdefgh}\n", func(c *Config) {
			c.Auth.Keys = []auth.Key{{Name: "a", Key: "01234567"}, {Name: "b", Key: "abcdefgh"}}
		}},
		{"no end of reconnecting", "reconnect_window: -1s", func(c *Config) { c.Stream.ReconnectWindow = -time.Second }},
		{"quoted duration", `window: "60s"`, func(c *Config) { c.Packager.Window = time.Minute }},
		{"off without quotes", "origin: {listen: off}", func(c *Config) { c.Origin.Listen = "off" }},
		{"bool", "auth: {allow_loopback: true}", func(c *Config) { c.Auth.AllowLoopback = true }},
	} {
		l, err := load("pushcart.yml", []byte(tt.file), nil)
		if err != nil {
			t.Errorf("%s: %v", tt.what, err)
			continue
		}
		want := Default()
		tt.want(&want)
		if !reflect.DeepEqual(l.Config, want) {
			t.Errorf("%s: got %+v, want %+v", tt.what, l.Config, want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		what, file string
		want       []string // the whole of each line; or ~ and a piece of the only one
	}{
		{"wrong key", "origin:\n  lisen: \":80\"\n", []string{
			`pushcart.yml:2:3: unknown key "lisen"; did you mean "listen"?`}},
		{"dash for underscore", "reconnect-window: 5s\n", []string{
			`pushcart.yml:1:1: unknown key "reconnect-window"; did you mean "reconnect_window"?`}},
		{"right key in the wrong place", "secret: abc\n", []string{
			`pushcart.yml:1:1: unknown key "secret"; did you mean auth.secret?`}},
		{"nothing like it", "log:\n  colour: red\n", []string{
			`pushcart.yml:2:3: unknown key "colour"; the keys in log are format and level`}},
		{"in a list", "auth:\n  keys:\n    - nmae: x\n      key: 12345678\n", []string{
			`pushcart.yml:3:7: unknown key "nmae"; did you mean "name"?`,
			`pushcart.yml:4:12: auth.keys[0].key holds a number to YAML, and must be a text: put it in quotes`}},
		{"what a room says of a list", "auth:\n  keys:\n    - name: x\n      key: short\n    - key: abcdefgh\n", []string{
			`pushcart.yml:4:7: auth.keys[0].key has 5 characters: use at least 8, hard to guess ones`,
			`pushcart.yml:5:7: auth.keys[1].name: The show has no name: use letters, digits, '-', '.', '_' or '~'.`}},
		{"all in one go", "windw: 1m\nwindow: 30\nlatency: lowset\nauth:\n  allow_loopback: yes\n  keys: none\nlog: loud\n", []string{
			`pushcart.yml:1:1: unknown key "windw"; did you mean "window"?`,
			`pushcart.yml:2:9: window: 30 has no unit: write 30s for seconds, or use ms, m or h`,
			`pushcart.yml:3:10: latency: "lowset" is no latency; did you mean "lowest"?`,
			`pushcart.yml:5:19: auth.allow_loopback: "yes" is neither true nor false`,
			`pushcart.yml:6:9: auth.keys holds a single value: it must be a list; begin each entry with a dash, or write [a, b]`,
			`pushcart.yml:7:6: log holds a single value: it must be a group of keys (format and level)`}},
		{"what the rooms say", "latency:\n  part: 1ms\nwindow: 1s\nlog:\n  level: loud\n", []string{
			`pushcart.yml:2:3: latency.part is 1ms: it must be between 150ms and 4s`,
			`pushcart.yml:5:3: log.level is "loud": it must be debug, info, warn or error`}},
		{"twice", "window: 30s\nwindow: 40s\n", []string{
			`pushcart.yml:2:1: window is here a second time: it is set in line 1`}},
		{"no value", "window:\n", []string{
			`pushcart.yml:1:9: window has no value: write one, or leave the key out for the default`}},
		{"zero that would be the default", "reconnect_window: 0s\nmax_streams: 0", []string{
			`pushcart.yml:1:1: reconnect_window can't be 0s: leave the key out for the default, 1m0s`,
			`pushcart.yml:2:1: max_streams can't be 0: leave the key out for the default, 1000`}},
		{"addresses", "rtmp:\n  listen: \":8080\"\norigin:\n  listen_tls: here\nadmin:\n  listen: \"8081\"\n", []string{
			`pushcart.yml:3:1: origin.listen is ":8080", and so is rtmp.listen: each needs a port of its own`,
			`pushcart.yml:4:3: origin.listen_tls is "here": it must be "host:port", ":port" or "off"`,
			`pushcart.yml:6:3: admin.listen is "8081": it must be "host:port", ":port" or "off"`}},
		{"address of a door", "rtmp:\n  listen: 1935\n  listen_tls: rtmp\n", []string{
			`pushcart.yml:2:11: rtmp.listen holds a number to YAML, and must be a text: put it in quotes`,
			`pushcart.yml:3:3: rtmp.listen_tls is "rtmp": it must be "host:port", ":port" or "off"`}},
		{"quoted number", `max_streams: "5"`, []string{
			`pushcart.yml:1:14: max_streams holds a text: take the quotes away`}},
		{"number of another kind", "max_streams: 1.5", []string{
			`pushcart.yml:1:14: max_streams: "1.5" is no whole number`}},
		{"group for a value", "window: {a: b}", []string{
			`pushcart.yml:1:10: window holds a group of keys: it must be a single value`}},
		{"bad duration", "window: soon", []string{
			`pushcart.yml:1:9: window: "soon" is no duration: write a number and its unit, such as 500ms, 60s, 30m or 1h30m`}},
		{"a list", "- a\n", []string{`~holds a list: it must be a group of keys`}},
		{"not YAML", "a: b: c\n", []string{`~1:4: this is not YAML`}},
		{"alias bomb", "a: &a [1]\nb: &b [*a, *a]\n", []string{`~1:4: anchors`}},
		{"merge", "log:\n  <<: {level: info}\n", []string{`~2:3: anchors`}},
		{"tag", "window: !!str 30s\n", []string{`~1:9: tags`}},
		{"two documents", "window: 30s\n---\nwindow: 40s\n", []string{
			"pushcart.yml:2:1: a second document begins here: keep to one"}},
		{"nested brackets", "window: " + strings.Repeat("[", 1000), []string{`~nested too deep`}},
		{"nested dashes", "window: " + strings.Repeat("- ", 1000), []string{`~nested too deep`}},
		{"question marks", strings.Repeat("? ", 1000), []string{`~1:1: keys that begin with "?"`}},
		{"keys without end", strings.Repeat("a:\n", 300_000), []string{`~too many keys`}},
		{"empty entries without end", strings.Repeat("-\n", 500_000), []string{`~too many keys`}},
		{"names without end", "auth: {" + strings.Repeat("a,", 450_000) + "}", []string{`~too many keys`}},
		{"binary", "window: \x00\n", []string{"pushcart.yml:1:1: the file is not UTF-8 text: save it as UTF-8"}},
		{"Latin-1", "# caf\xe9\n", []string{"pushcart.yml:1:1: the file is not UTF-8 text: save it as UTF-8"}},
	} {
		_, err := load("pushcart.yml", []byte(tt.file), nil)
		var errs Errors
		if !errors.As(err, &errs) {
			t.Errorf("%s: got %v", tt.what, err)
			continue
		}
		got := strings.Split(err.Error(), "\n")
		if len(got) != len(errs) {
			t.Errorf("%s: an error goes over several lines: %q", tt.what, err)
		}
		if piece, ok := strings.CutPrefix(tt.want[0], "~"); ok {
			if len(got) != 1 || !strings.Contains(got[0], piece) {
				t.Errorf("%s: got\n  %s\nwant one line with %q", tt.what, strings.Join(got, "\n  "), piece)
			}
		} else if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got\n  %s\nwant\n  %s", tt.what, strings.Join(got, "\n  "), strings.Join(tt.want, "\n  "))
		}
	}
}

func TestErrorsAreBounded(t *testing.T) {
	_, err := load("novel.yml", []byte(strings.Repeat("a: b\n", maxKeys)), nil)
	var errs Errors
	if !errors.As(err, &errs) || len(errs) != maxErrors+1 {
		t.Errorf("got %d errors", len(errs))
	}
	name := filepath.Join(t.TempDir(), "huge.yml")
	if err := os.WriteFile(name, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(name, nil); !errors.As(err, &errs) || !strings.Contains(err.Error(), "larger than 1024 KiB") {
		t.Errorf("got %v", err)
	}
}

func TestEnvironment(t *testing.T) {
	l, err := load("pushcart.yml", []byte("window: 1m\nlatency: safe\n"), []string{
		"PATH=/bin", "PUSHCART_WINDOW=2m", "PUSHCART_LATENCY=low", "PUSHCART_LATENCY_SEGMENT=4s",
		"PUSHCART_AUTH_SECRET=0123456789abcdef", "PUSHCART_AUTH_ALLOW_LOOPBACK=true", "PUSHCART_MAX_STREAMS=5",
		"PUSHCART_SERVICE_HOST=10.0.0.1", "PUSHCART_ORIGIN_LISTEN=:80",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Packager.Window = 2 * time.Minute
	want.Packager.Latency.Segment = 4 * time.Second
	want.Auth.Secret = "0123456789abcdef"
	want.Auth.AllowLoopback = true
	want.Stream.MaxStreams = 5
	want.Origin.Listen = ":80"
	if !reflect.DeepEqual(l.Config, want) {
		t.Errorf("got %+v, want %+v", l.Config, want)
	}
	if !reflect.DeepEqual(l.Unknown, []string{"PUSHCART_SERVICE_HOST"}) {
		t.Errorf("unknown: %q", l.Unknown)
	}
	shown := make(map[string]string)
	for _, o := range l.Overrides {
		shown[o.Env] = o.Value
	}
	if len(shown) != 7 || shown["PUSHCART_WINDOW"] != "2m0s" || shown["PUSHCART_AUTH_SECRET"] != "(hidden)" || shown["PUSHCART_ORIGIN_LISTEN"] != `":80"` {
		t.Errorf("overrides: %q", shown)
	}
}

func TestEnvironmentErrors(t *testing.T) {
	_, err := load("", nil, []string{
		"PUSHCART_WINDOW=30", "PUSHCART_MAX_STREAMS=-1", "PUSHCART_AUTH_KEYS=a", "PUSHCART_LATENCY=fast", "PUSHCART_RECONNECT_WINDOW=0s",
	})
	want := []string{
		"PUSHCART_AUTH_KEYS: auth.keys: can only be set in the file",
		`PUSHCART_LATENCY: latency: "fast" is no latency: use lowest, low, balanced or safe, or the keys part, hold_back and segment`,
		"PUSHCART_WINDOW: window: 30 has no unit: write 30s for seconds, or use ms, m or h",
		"PUSHCART_RECONNECT_WINDOW: reconnect_window can't be 0s: leave the key out for the default, 1m0s",
		"PUSHCART_MAX_STREAMS: max_streams is -1: it must be at least 1",
	}
	if got := strings.Split(err.Error(), "\n"); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestErrorsDoNotShowSecrets(t *testing.T) {
	for _, file := range []string{
		"auth: {secret: 7777777777777777}", "auth: {secret: 77777777}", "auth: {secret: '77777777'}", "auth: {secret: [77777777]}", "auth: {keys: 77777777}",
		"auth: {keys: [{name: a, key: 77777777}]}", "auth: {keys: [{name: a, key: '7777777'}, {name: b, key: '77777777 '}]}", "auth: {keys: [77777777]}",
	} {
		_, err := load("f.yml", []byte(file), []string{"PUSHCART_AUTH_SECRET=7777777"})
		if err == nil || strings.Contains(err.Error(), "7777777") {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// Two keys whose variables have the same name could not be told apart.
func TestVariablesAreUnique(t *testing.T) {
	seen := make(map[string]string)
	for _, k := range Default().Keys() {
		if other, ok := seen[k.Env]; ok {
			t.Errorf("%s and %s are both %s", other, k.Key, k.Env)
		}
		seen[k.Env] = k.Key
	}
}

// A room may give its Config a field of a kind that nobody has taught config yet.
func TestEveryKeyCanBeSet(t *testing.T) {
	var check func(t *testing.T, v reflect.Value, path string)
	check = func(t *testing.T, v reflect.Value, path string) {
		defer func() {
			if p := recover(); p != nil {
				t.Errorf("%s: %v", path, p)
			}
		}()
		switch {
		case isGroup(v.Type()):
			for _, f := range fields(v.Type()) {
				check(t, v.FieldByIndex(f.index), join(path, f.name))
			}
		case v.Kind() == reflect.Slice:
			check(t, reflect.New(v.Type().Elem()).Elem(), path+"[]")
		default:
			setText(v, "1")
		}
	}
	var c Config
	check(t, reflect.ValueOf(&c).Elem(), "")
}

func TestNearest(t *testing.T) {
	words := []string{"listen", "listen_tls", "max_connections", "window"}
	for _, tt := range []struct{ word, want string }{
		{"lisen", "listen"}, {"Listen", "listen"}, {"lsiten", "listen"}, {"listen-tls", "listen_tls"},
		{"maxconnections", "max_connections"}, {"windows", "window"}, {"colour", ""}, {"", ""}, {strings.Repeat("x", 1<<16), ""},
	} {
		if got := nearest(tt.word, words); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.word, got, tt.want)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		Example, "", "window: 30s", "latency: {part: 1s}", "a: [", "- - - a", "? a", "&a *a", "\"\\x\"", "auth:\n  keys:\n  - name: a\n",
		"a: |\n b\n", "a: >-\n b", "'", "{", "a:\n\tb", "---\n...\n", "%YAML 1.2\n---\n", "log: {level: [}", "x: !!binary a", ": :", "a:\r\n b: 1",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := load("f.yml", data, nil)
		if err == nil {
			// What is accepted is a configuration that the rooms accept.
			root := reflect.ValueOf(l.Config)
			for i := range root.NumField() {
				if err := root.Field(i).Interface().(interface{ Validate() error }).Validate(); err != nil {
					t.Errorf("accepted, and yet: %v", err)
				}
			}
			return
		}
		var errs Errors
		if !errors.As(err, &errs) || len(errs) == 0 {
			t.Fatalf("%T", err)
		}
		for _, e := range errs {
			if strings.ContainsAny(e.Error(), "\n\r") {
				t.Errorf("more than one line: %q", e.Error())
			}
		}
	})
}
