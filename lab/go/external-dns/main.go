// Command external-dns is the real external-dns with its sources and its plan, and with no DNS provider but the one in
// memory: its own main imports the clients of thirty clouds. It takes the flags of external-dns, runs once, and prints
// the records that external-dns would create.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	"sigs.k8s.io/external-dns/endpoint"
	"sigs.k8s.io/external-dns/pkg/apis/externaldns"
	"sigs.k8s.io/external-dns/plan"
	"sigs.k8s.io/external-dns/provider/inmemory"
	"sigs.k8s.io/external-dns/source"
	"sigs.k8s.io/external-dns/source/annotations"
	"sigs.k8s.io/external-dns/source/wrappers"
)

func main() {
	configuration := externaldns.NewConfig()
	if err := configuration.ParseFlags(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
	records, err := proposed(context.Background(), configuration)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(records); err != nil {
		log.Fatal(err)
	}
}

// proposed returns the records that are in the sources and not yet in the empty zones of the provider.
func proposed(ctx context.Context, configuration *externaldns.Config) ([]*endpoint.Endpoint, error) {
	annotations.SetAnnotationPrefix(configuration.AnnotationPrefix)
	sources, err := source.NewSourceConfig(configuration)
	if err != nil {
		return nil, err
	}
	built, err := wrappers.Build(ctx, sources)
	if err != nil {
		return nil, err
	}
	desired, err := built.Endpoints(ctx)
	if err != nil {
		return nil, err
	}
	filter := endpoint.NewDomainFilterWithOptions(endpoint.WithDomainFilter(configuration.DomainFilter))
	provider, err := inmemory.New(ctx, configuration, filter)
	if err != nil {
		return nil, err
	}
	current, err := provider.Records(ctx)
	if err != nil {
		return nil, err
	}
	calculated := (&plan.Plan{
		Current:        current,
		Desired:        desired,
		DomainFilter:   endpoint.MatchAllDomainFilters{filter},
		ManagedRecords: configuration.ManagedDNSRecordTypes,
	}).Calculate()
	return calculated.Changes.Create, provider.ApplyChanges(ctx, calculated.Changes)
}
