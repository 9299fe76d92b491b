"""The contracts: what travels on Kafka between the services, and nothing else.

One module per topic family; `topics` is the single truth about names, owners and retention;
`envelope` maps events to CloudEvents 1.0 in Kafka's binary mode and back.
"""
