package rtmp

import "testing"

func TestPublishName(t *testing.T) {
	for _, test := range []struct {
		what, app, tcURL, stream string
		want                     name
	}{
		{"OBS", "live", "rtmp://h/live", "key?clientConfigId=1", name{"live", "key", "clientConfigId=1"}},
		{"OBS with a slash behind the server", "live/", "rtmp://h/live/", "key", name{"live", "key", ""}},
		{"ffmpeg", "live", "rtmp://h:1935/live", "key", name{"live", "key", ""}},
		{"key in the app", "live/key", "rtmp://h/live/key", "", name{"live", "key", ""}},
		{"key in the app, with a query", "live/key?a=1", "rtmp://h/live/key?a=1", "", name{"live", "key", "a=1"}},
		{"key in tcUrl only", "live", "rtmp://h/live/key", "", name{"live", "key", ""}},
		{"app in tcUrl only", "", "rtmp://h/live?a=1", "key?b=2", name{"live", "key", "a=1&b=2"}},
		{"query on both", "live?a=1", "rtmp://h/live?a=1", "key?b=2", name{"live", "key", "a=1&b=2"}},
		{"all in the stream", "", "rtmp://h", "live/key", name{"live", "key", ""}},
		{"Wowza's instance", "live/_definst_", "rtmp://h/live/_definst_", "key", name{"live", "key", ""}},
		{"key with a slash", "live", "rtmp://h/live", "agency/host", name{"live", "agency/host", ""}},
		{"nothing is decoded", "live", "rtmp://h/live", "k%65y+1", name{"live", "k%65y+1", ""}},
		{"question mark in a query", "live", "rtmp://h/live", "key?a=1?b", name{"live", "key", "a=1?b"}},
	} {
		got, err := publishName(test.app, test.tcURL, test.stream)
		if err != nil || got != test.want {
			t.Errorf("%s: got %+v, %v", test.what, got, err)
		}
	}
	for _, test := range []struct{ what, app, tcURL, stream string }{
		{"no key", "live", "rtmp://h/live", ""},
		{"nothing", "", "", ""},
		{"only slashes", "/", "rtmp://h///", "//"},
		{"only a query", "live", "rtmp://h/live", "?a=1"},
		{"key without end", "live", "rtmp://h/live", string(make([]byte, maxNameLength+1))},
	} {
		if got, err := publishName(test.app, test.tcURL, test.stream); err == nil {
			t.Errorf("%s: got %+v", test.what, got)
		}
	}
}

func TestCheckApp(t *testing.T) {
	if s := checkApp("live/ключ?a=%20"); s != "" {
		t.Error(s)
	}
	for _, app := range []string{"li ve", "live\n", "live\x00", "\xff", string(make([]byte, 5000))} {
		if checkApp(app) == "" {
			t.Errorf("%.20q is fine", app)
		}
	}
}
