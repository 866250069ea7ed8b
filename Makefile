tree:
	@mkdir -p build/tree/sightmix
	@for r in engine plugin exporters ui; do ln -sfn ../../../$$r build/tree/sightmix/$$r; done
