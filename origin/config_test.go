package origin

import (
	"strings"
	"testing"
)

func TestConfig(t *testing.T) {
	if err := (Config{}).Validate(); err != nil {
		t.Errorf("the zero value: %v", err)
	}
	for _, c := range []struct {
		cfg  Config
		want string // in the error; empty: none
	}{
		{Config{Listen: "127.0.0.1:80", ListenTLS: "[::1]:https"}, ""},
		{Config{Listen: Off, ListenTLS: Off}, ""},
		{Config{Listen: "8080"}, "origin.listen "},
		{Config{Listen: ":http8"}, "origin.listen "},
		{Config{Listen: ":99999"}, "origin.listen "},
		{Config{ListenTLS: "example.com"}, "origin.listen_tls"},
		{Config{MaxConnections: -1}, "origin.max_connections"},
		{Config{MaxWaiting: -1}, "origin.max_waiting "},
		{Config{MaxWaitingPerShow: maxMaxConnections + 1}, "origin.max_waiting_per_show"},
		{Config{MaxStreamsPerConnection: 1 << 20}, "origin.max_streams_per_connection"},
		{Config{MinRate: -5}, "origin.min_rate"},
	} {
		err := c.cfg.Validate()
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%+v: %v", c.cfg, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
}
